const svgNamespace = 'http://www.w3.org/2000/svg';

/** What Cornerstone hands to a tool that draws: what is not drawn again is taken away. */
export interface SvgDrawing {
  getSvgNode(key: string): Element | undefined;
  appendNode(node: Element, key: string): void;
  setNodeTouched(key: string): void;
}

/** Draws an element, or changes the one of this key. `onCreated` is called with a new one. */
export function draw(
  drawing: SvgDrawing,
  key: string,
  name: string,
  attributes: Readonly<Record<string, string>>,
  onCreated?: (node: SVGElement) => void,
): void {
  const existing = drawing.getSvgNode(key);
  const node = existing ?? document.createElementNS(svgNamespace, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    node.setAttribute(attribute, value);
  }
  if (existing) {
    drawing.setNodeTouched(key);
  } else {
    onCreated?.(node as SVGElement);
    drawing.appendNode(node, key);
  }
}
