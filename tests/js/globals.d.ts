/** What the page has that TypeScript does not know: Plotly.js, and what we keep on elements. */

interface PlotlyAxis {
  range: [number, number];
  _length: number;
  p2d(pixel: number): number;
  d2p(value: number): number;
}

/** An element that Plotly.js has drawn into. */
interface PlotlyElement extends HTMLElement {
  data: { y: ArrayLike<number> }[];
  layout: { font: object };
  _fullLayout: {
    xaxis: PlotlyAxis;
    yaxis: PlotlyAxis;
    _size: { l: number; t: number; w: number; h: number };
  };
}

interface PlotlyLibrary {
  react(element: HTMLElement, traces: object[], layout: object, config: object): Promise<unknown>;
  restyle(element: HTMLElement, changes: object, traces: number[]): Promise<unknown>;
  toImage(figure: { data: object[]; layout: object }, options: object): Promise<string>;
  purge(element: HTMLElement): void;
}

interface Window {
  Plotly?: PlotlyLibrary;
}

interface Element {
  /** What D3 binds to the groups of a Plotly chart. */
  __data__?: { trace?: { index?: number } }[];
}

interface HTMLLinkElement {
  /** Ours: resolves when the style sheet applies. */
  ready?: Promise<unknown>;
}
