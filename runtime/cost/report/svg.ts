import { LedgerError } from '../ledger/errors';

/** A chart as ECharts describes it, for a width in pixels. */
export type ChartOption = (width: number) => object;

/** A chart, drawn twice: for screens and paper, and for phones, on which a wide one would be too small to read. */
export interface DrawnChart {
  readonly wide: string;
  readonly narrow: string;
}

const WIDE = 840;
const NARROW = 340;

type Module = Awaited<ReturnType<typeof importECharts>>;

let loaded: Module | undefined;

/**
 * Draws a chart as SVG without a browser. Colours are variables of the page (`var(--gpu)`), so that one drawing serves
 * light and dark.
 *
 * @param id unique on the page
 * @param label what the chart shows, for those who do not see it
 */
export async function drawChart(
  id: string,
  label: string,
  height: { readonly wide: number; readonly narrow: number },
  option: ChartOption,
): Promise<DrawnChart> {
  const echarts = (loaded ??= await loadECharts());
  const draw = (kind: 'wide' | 'narrow', width: number): string => {
    const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height: height[kind] });
    chart.setOption({ animation: false, textStyle: { fontFamily: 'system-ui, sans-serif' }, ...option(width) });
    const svg = chart.renderToSVGString();
    chart.dispose();
    return still(svg, `${id}-${kind}`, label);
  };
  return { wide: draw('wide', WIDE), narrow: draw('narrow', NARROW) };
}

/** Takes away what is for pointers, and names what the charts of a page must not share. */
function still(svg: string, id: string, label: string): string {
  return svg
    .replaceAll(/<style[\s\S]*?<\/style>\n?/g, '')
    .replaceAll(/ (class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
    .replaceAll(/zr\d+-/g, `${id}-`)
    .replace(/^<svg [^>]*?(viewBox="[^"]*")[^>]*>/, `<svg $1 role="img" aria-label="${escapeHtml(label)}">`);
}

/** Text as HTML has it. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

async function loadECharts(): Promise<Module> {
  try {
    return await importECharts();
  } catch (cause) {
    throw new LedgerError("the dashboard needs the package 'echarts'; add it with npm install", { cause });
  }
}

// its types differ by how it is imported
// eslint-disable-next-line @typescript-eslint/explicit-function-return-type
function importECharts() {
  return import('echarts');
}
