/**
 * The style of the dashboard: light or dark as the reader's system is, and always light on paper. Text has a contrast of 4.5
 * or more on its ground; the colours of categories differ from their neighbours in lightness too.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f5f7fa; --card: #ffffff; --text: #17212b; --muted: #55626f; --line: #dfe5ec; --accent: #1463b8;
  --before: #a9b8c8; --good: #14703c; --bad: #b3261e; --warn: #8a5200; --chip: #eaf0f7;
  --gpu: #1463b8; --cpu: #6db3f2; --storage: #0b7a75; --network: #7fd1c7; --idle: #c4ccd6; --shared: #7b8794;
  --api: #7a3fb0; --data_storage: #c39be6; --people: #c0721a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f151c; --card: #18212b; --text: #e8eef5; --muted: #a3b1c0; --line: #2c3947; --accent: #6cb2ff;
    --before: #556576; --good: #5fd08d; --bad: #ff8f85; --warn: #f2b75c; --chip: #223040;
    --gpu: #4b9df5; --cpu: #a8d3fb; --storage: #2aa79f; --network: #8fe0d6; --idle: #4a5867; --shared: #8492a1;
    --api: #a774dc; --data_storage: #d7bdf0; --people: #dd8f33;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 8px 12px; border-radius: 8px; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 0 0 4px; letter-spacing: -0.005em; }
p { margin: 0; }
.lead, .note { color: var(--muted); }
.lead { margin-top: 6px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 16px 0 0; padding: 0; }
a { color: var(--accent); text-underline-offset: 3px; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.figures { display: flex; flex-wrap: wrap; gap: 14px; margin: 24px 0 14px; padding: 0; list-style: none; }
.figures li, section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.figures li { padding: 16px 18px; flex: 1 1 220px; }
.figures .name { color: var(--muted); font-size: 14px; }
.figures .value { font-size: 27px; font-weight: 650; line-height: 1.25; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.figures .detail { font-size: 14px; color: var(--muted); }
section { padding: 22px 24px; margin: 14px 0; }
.alerts { border-left: 5px solid var(--bad); }
.alerts ul { margin: 8px 0 0; padding-left: 20px; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
figure { margin: 16px 0 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 10px; padding: 0; font-size: 14px; }
.key { display: inline-block; width: 14px; height: 10px; border-radius: 3px; margin-right: 7px; background: var(--key); }
.key.line, .key.dashes, .key.dots { width: 22px; height: 0; border-radius: 0; background: none; vertical-align: middle; border-top: 3px solid var(--key); }
.key.dashes { border-top-style: dashed; }
.key.dots { border-top: 2px dotted var(--key); }
svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 14px; font-size: 15px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: 14px; padding-bottom: 6px; }
th, td { padding: 8px 14px 8px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 600; font-size: 13px; white-space: nowrap; }
.advice thead th { white-space: normal; }
tbody th { font-weight: 600; overflow-wrap: break-word; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
@media (min-width: 701px) {
  .advice table { table-layout: fixed; }
  .advice th:nth-child(1) { width: 19%; } .advice th:nth-child(2) { width: 25%; } .advice th:nth-child(4) { width: 20%; }
  .advice th:nth-child(5) { width: 12%; }
}
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--accent); }
code { font: 0.92em/1.4 ui-monospace, SFMono-Regular, Menlo, monospace; background: var(--chip); padding: 1px 5px; border-radius: 5px; overflow-wrap: break-word; }
.chip { display: inline-block; font-size: 13px; padding: 1px 9px; border-radius: 99px; background: var(--chip); white-space: nowrap; }
.meter { height: 10px; border-radius: 99px; background: var(--chip); overflow: hidden; margin-top: 8px; border: 1px solid var(--line); }
.meter > span { display: block; height: 100%; background: var(--accent); }
.meter.over > span { background: var(--bad); }
footer { padding: 12px 24px 40px; color: var(--muted); font-size: 14px; }
@media screen and (max-width: 700px) {
  header, main, footer { padding-left: 14px; padding-right: 14px; }
  header { padding-top: 22px; }
  h1 { font-size: 24px; }
  section { padding: 16px; }
  .figures { gap: 10px; }
  .figures li { padding: 12px; flex-basis: 150px; }
  .figures .value { font-size: 21px; }
  .wide { display: none; }
  .narrow { display: block; }
  table.stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; }
  .stack caption { display: block; }
  .stack thead { position: absolute; left: -999px; }
  .stack tr { padding: 10px 0; border-bottom: 1px solid var(--line); }
  .stack tbody tr:last-child { border-bottom: 0; }
  .stack th, .stack td { padding: 2px 0; border: 0; text-align: left; white-space: normal; }
  .stack td[data-name]::before { content: attr(data-name) ": "; color: var(--muted); }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --card: #ffffff; --text: #17212b; --muted: #55626f; --line: #d3dae2; --accent: #1463b8;
    --before: #a9b8c8; --good: #14703c; --bad: #b3261e; --warn: #8a5200; --chip: #eef2f6;
    --gpu: #1463b8; --cpu: #6db3f2; --storage: #0b7a75; --network: #7fd1c7; --idle: #c4ccd6; --shared: #7b8794;
    --api: #7a3fb0; --data_storage: #c39be6; --people: #c0721a;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  @page { size: A4; margin: 14mm; }
  body { font-size: 12px; }
  h1 { font-size: 22px; }
  h2 { font-size: 16px; }
  .figures .name, .figures .detail, .legend, caption, thead th, .chip, footer { font-size: 11px; }
  header, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  header { padding-top: 0; }
  nav, details, .skip { display: none; }
  section { padding: 12px 14px; break-inside: avoid; }
  .figures { gap: 8px; }
  .figures li { flex-basis: 150px; padding: 10px 12px; }
  .figures .value { font-size: 20px; }
  table { font-size: 11.5px; }
  th, td { padding: 5px 10px 5px 0; }
  .advice { break-inside: auto; }
  tr, figure { break-inside: avoid; }
}
`;
