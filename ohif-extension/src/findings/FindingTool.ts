import type { Types as CoreTypes } from '@cornerstonejs/core';
import type { Types } from '@cornerstonejs/tools';
import type { CornerstoneLibraries } from '../host/ohif';
import { moveRegion, regionCorners, resizeRegion, type PixelGrid, type PixelPoint, type Region } from '../masks/geometry';
import { shownFrame, shownImage, shownPixelGrid, type ViewportLike } from '../masks/shownImage';
import { draw, type SvgDrawing } from '../masks/svgDrawing';
import type { FindingView } from '../sidecar/reviewTypes';
import type { FindingsSession } from './FindingsSession';

/** Name of the tool in Cornerstone's tool groups. */
export const findingToolName = 'ImageFinding';

type Point2 = CoreTypes.Point2;

/**
 * Draws what a scan has found as dashed boxes. It is only ever "enabled" and takes no mouse button: the boxes themselves listen for the mouse,
 * and let everything pass that is not meant for them, so that scrolling and windowing go on above a box.
 */
export function createFindingTool({ cornerstone, cornerstoneTools, ...libraries }: CornerstoneLibraries, current: () => FindingsSession | null) {
  const all: CornerstoneLibraries = { cornerstone, cornerstoneTools, ...libraries };

  return class ImageFindingTool extends cornerstoneTools.BaseTool {
    static override toolName = findingToolName;

    constructor(toolProps: Types.PublicToolProps = {}, defaultToolProps: Types.ToolProps = { supportedInteractionTypes: [], configuration: {} }) {
      super(toolProps, defaultToolProps);
    }

    renderAnnotation(enabledElement: CoreTypes.IEnabledElement, drawing: unknown): boolean {
      const session = current();
      const viewport = enabledElement.viewport as unknown as ViewportLike & { readonly element: HTMLDivElement };
      const grid = shownPixelGrid(viewport);
      const image = shownImage(all, viewport);
      if (!session || !grid || !image) {
        return false;
      }
      const findings = session.findingsOn(image.sopInstanceUid, shownFrame(viewport));
      for (const finding of findings) {
        drawFinding(session, finding, viewport, grid, drawing as SvgDrawing);
      }
      return findings.length > 0;
    }
  };
}

function drawFinding(session: FindingsSession, finding: FindingView, viewport: ViewportLike & { readonly element: HTMLDivElement }, grid: PixelGrid, drawing: SvgDrawing): void {
  const selected = session.store.selected.get();
  const adjusted = session.store.adjusting.get();
  const isAdjusted = adjusted?.findingId === finding.id;
  const isSelected = selected?.whole ? selected.clusterId === finding.clusterId : selected?.findingId === finding.id;
  const region = isAdjusted ? adjusted.region : (finding.decision?.region ?? finding.region);
  const corners = regionCorners(region).map(corner => viewport.worldToCanvas(grid.toWorld(corner))) as [Point2, Point2, Point2, Point2];
  const [a, b, c, d] = corners;
  const points = [a, b, d, c].map(([x, y]) => `${x},${y}`).join(' ');
  const classes = ['image-finding', `image-finding-${finding.state}`, isSelected && 'image-finding-selected', isAdjusted && 'image-finding-adjusting'].filter(Boolean).join(' ');
  // A dark line below the bright one: the box shows on white as on black.
  draw(drawing, `${finding.id}::shade`, 'polygon', { points, class: 'image-finding-shade' });
  draw(drawing, `${finding.id}::finding`, 'polygon', { points, 'class': classes, 'data-cy': 'image-finding', 'data-finding-id': finding.id, 'data-state': finding.state }, node =>
    listenToBox(session, finding.id, node, viewport, -1),
  );
  if (isAdjusted) {
    corners.forEach(([x, y], index) =>
      draw(drawing, `${finding.id}::corner${index}`, 'rect', { x: `${x - 5}`, y: `${y - 5}`, width: '10', height: '10', class: 'image-finding-corner', 'data-cy': 'image-finding-corner' }, node =>
        listenToBox(session, finding.id, node, viewport, index),
      ),
    );
  }
}

/** Hover, click, and while the finding is adjusted the drag of its box or of a corner. */
function listenToBox(session: FindingsSession, findingId: string, node: SVGElement, viewport: ViewportLike & { readonly element: HTMLDivElement }, corner: number): void {
  let pressed: readonly [number, number] | undefined;
  let drag: { readonly region: Region; readonly from: PixelPoint } | undefined;

  const pixelUnder = (event: PointerEvent): { point: PixelPoint; grid: PixelGrid } | undefined => {
    const grid = shownPixelGrid(viewport);
    const box = viewport.element.getBoundingClientRect();
    return grid ? { grid, point: grid.toPixel(viewport.canvasToWorld([event.clientX - box.left, event.clientY - box.top])) } : undefined;
  };

  node.addEventListener('pointermove', event => {
    const under = drag && pixelUnder(event);
    if (drag && under) {
      const { region, from } = drag;
      const { point, grid } = under;
      session.adjust(corner < 0 ? moveRegion(region, point[0] - from[0], point[1] - from[1], grid) : resizeRegion(region, corner, point, grid));
    } else {
      session.hovered.set({ id: findingId, x: event.clientX, y: event.clientY });
    }
  });
  node.addEventListener('pointerleave', () => session.hovered.set(undefined));
  node.addEventListener('pointerdown', event => {
    pressed = [event.clientX, event.clientY];
    session.hovered.set(undefined);
    const adjusted = session.store.adjusting.get();
    const under = adjusted?.findingId === findingId && event.button === 0 ? pixelUnder(event) : undefined;
    if (adjusted && under) {
      // Cornerstone's tools, which listen for the mouse events that would follow, must not act as well.
      event.preventDefault();
      event.stopPropagation();
      node.setPointerCapture(event.pointerId);
      drag = { region: adjusted.region, from: under.point };
    }
  });
  node.addEventListener('pointerup', event => {
    const moved = !pressed || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4;
    if (!drag && !moved && event.button === 0) {
      session.selectBox(findingId);
    }
    drag = undefined;
  });
  node.addEventListener('pointercancel', () => {
    drag = undefined;
  });
  node.addEventListener('touchstart', event => drag && event.stopPropagation());
}
