import type { LegendEntry } from './charts';
import { escapeHtml, type DrawnChart } from './svg';

/** HTML that is safe to put on a page; made by `markup` alone. */
export class Markup {
  constructor(readonly text: string) {}
}

type Content = Markup | string | number | undefined | readonly Content[];

/** Builds HTML: what is filled in is escaped, unless it is HTML itself. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.map((part, index) => part + render(contents[index])).join(''));
}

function render(content: Content): string {
  if (content === undefined) {
    return '';
  }
  if (content instanceof Markup) {
    return content.text;
  }
  return typeof content === 'object' ? content.map(render).join('') : escapeHtml(String(content));
}

/** A column of a table. */
export interface Column<Row> {
  readonly name: string;
  readonly value: (row: Row) => Markup | string;
  /** Right-aligned. */
  readonly number?: boolean;
}

/**
 * A table; the first column names its rows.
 *
 * @param stack on a phone, whether a row becomes a list; else the table scrolls sideways
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { stack = false } = {},
): Markup {
  const align = (number: boolean | undefined): Markup | undefined =>
    number === true ? markup` class="number"` : undefined;
  const cell = (row: Row, { name, value, number }: Column<Row>, index: number): Markup =>
    index === 0
      ? markup`<th scope="row">${value(row)}</th>`
      : markup`<td data-name="${name}"${align(number)}>${value(row)}</td>`;
  const head = columns.map(({ name, number }) => markup`<th scope="col"${align(number)}>${name}</th>`);
  const body = rows.map((row) => markup`<tr>${columns.map((column, index) => cell(row, column, index))}</tr>\n`);
  // what scrolls can be reached with the keyboard
  return markup`<div class="scroll" tabindex="0" role="group" aria-label="${caption}">
<table${stack ? markup` class="stack"` : ''}><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table>
</div>`;
}

/** A chart with its legend, and the table of what it shows. */
export function chartFigure({ wide, narrow }: DrawnChart, legend: readonly LegendEntry[], data?: Markup): Markup {
  const entries = legend.map(
    ({ name, color, as }) => markup`<li><span class="key ${as}" style="--key:${color}"></span>${name}</li>`,
  );
  return markup`<figure>${legend.length === 0 ? '' : markup`<ul class="legend">${entries}</ul>`}
<div class="wide">${new Markup(wide)}</div><div class="narrow">${new Markup(narrow)}</div>
${data === undefined ? '' : markup`<details><summary>Show as a table</summary>${data}</details>`}</figure>`;
}

/** A part of the page, which is a landmark. */
export interface Section {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly content: Markup;
}

export function section(id: string, title: string, content: Markup): Section {
  return { id, title, content };
}

export function sectionMarkup({ id, title, content }: Section): Markup {
  return markup`<section id="${id}" class="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}
