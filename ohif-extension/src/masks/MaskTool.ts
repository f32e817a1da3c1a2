import type { Types as CoreTypes } from '@cornerstonejs/core';
import type { Types } from '@cornerstonejs/tools';
import type { CornerstoneLibraries } from '../host/ohif';
import { coveringRegion, moveRegion, regionContains, regionCorners, resizeRegion, type PixelPoint, type Region } from './geometry';
import { maskToolName, type MaskAnnotation } from './mask';
import type { MaskStore } from './MaskStore';
import { shownImage, shownPixelGrid, type ViewportLike } from './shownImage';
import { draw, type SvgDrawing } from './svgDrawing';

type Point2 = CoreTypes.Point2;
type InteractionEvent = Types.EventTypes.InteractionEventType;

/** Cornerstone offers passive tools every mouse button: the right one must neither move a mask nor block the site's zoom. */
function isPrimaryButton(event: InteractionEvent): boolean {
  const { mouseButton } = event.detail as { mouseButton?: number };
  return mouseButton === undefined || mouseButton === 1;
}

/**
 * The mask tool: Cornerstone's rectangle with its own drawing, dragging and hit test, all in whole stored pixels, so that
 * what is shown is what will be burned at every zoom, rotation and flip. Cornerstone sets a tool's callbacks as fields of
 * the instance; they can only be replaced in the constructor.
 */
export function createMaskTool(libraries: CornerstoneLibraries, store: MaskStore, onRefused: () => void) {
  const { cornerstone, cornerstoneTools } = libraries;

  const viewportOf = (element: HTMLDivElement): ViewportLike | undefined => cornerstone.getEnabledElement(element)?.viewport;

  return class ImageMaskTool extends cornerstoneTools.RectangleROITool {
    static override toolName = maskToolName;

    /** Where a drag began: the mask as it was, and the point under the mouse. */
    private dragStart: { readonly region: Region | null; readonly point: PixelPoint } | null = null;

    constructor(
      toolProps: Types.PublicToolProps = {},
      defaultToolProps: Types.ToolProps = {
        supportedInteractionTypes: ['Mouse', 'Touch'],
        configuration: { calculateStats: false, getTextLines: () => [], preventHandleOutsideImage: false, shadow: false },
      },
    ) {
      super(toolProps, defaultToolProps);
      this._calculateCachedStats = () => ({});

      const addRectangle = this.addNewAnnotation;
      this.addNewAnnotation = event => {
        const { element, currentPoints } = event.detail;
        const viewport = viewportOf(element);
        const image = shownImage(libraries, viewport);
        const grid = shownPixelGrid(viewport);
        if (!image || !grid) {
          throw new Error('preMouseDownCallback lets no mask begin where none can be drawn.');
        }
        const annotation = addRectangle(event) as MaskAnnotation;
        const point = grid.toPixel(currentPoints.world);
        annotation.data.mask = { image, region: coveringRegion(point, point, grid) };
        this.dragStart = { region: null, point };
        store.read();
        return annotation;
      };

      const selectTool = this.toolSelectedCallback;
      this.toolSelectedCallback = (event, annotation) => {
        if (!isPrimaryButton(event)) {
          return;
        }
        selectTool(event, annotation);
        this.beginDrag(event, annotation as unknown as MaskAnnotation);
      };

      const selectHandle = this.handleSelectedCallback;
      this.handleSelectedCallback = (event, annotation, handle) => {
        if (!isPrimaryButton(event)) {
          return;
        }
        selectHandle(event, annotation, handle);
        this.beginDrag(event, annotation as unknown as MaskAnnotation);
      };

      this._dragCallback = event => {
        const { element, currentPoints } = event.detail;
        const grid = shownPixelGrid(viewportOf(element));
        if (!this.editData || !this.dragStart || !grid) {
          return;
        }
        this.isDrawing = true;
        const annotation = this.editData.annotation as MaskAnnotation;
        const { handleIndex, newAnnotation } = this.editData;
        this.memo ??= newAnnotation ? store.recordCreation(annotation) : store.recordChange(annotation);
        const { region, point } = this.dragStart;
        const to = grid.toPixel(currentPoints.world);
        if (newAnnotation || !region) {
          store.setRegion(annotation, coveringRegion(point, to, grid));
        } else if (handleIndex === undefined) {
          store.setRegion(annotation, moveRegion(region, to[0] - point[0], to[1] - point[1], grid));
        } else {
          store.setRegion(annotation, resizeRegion(region, handleIndex, to, grid));
        }
        this.editData.hasMoved = true;
      };

      const end = this._endCallback;
      this._endCallback = event => {
        const annotation = this.editData?.annotation as MaskAnnotation | undefined;
        end(event);
        if (!this.editData && annotation) {
          this.dragStart = null;
          if (!annotation.data.mask.region) {
            store.discard([annotation.annotationUID ?? '']);
          }
        }
      };

      const cancel = this.cancel;
      this.cancel = element => {
        const edit = this.editData;
        const start = this.dragStart;
        const uid = cancel(element);
        this.doneEditMemo();
        this.dragStart = null;
        if (edit?.newAnnotation) {
          store.discard([edit.annotation.annotationUID ?? '']);
        } else if (edit && start) {
          store.setRegion(edit.annotation as MaskAnnotation, start.region);
        }
        return uid;
      };

      this.isPointNearTool = (element, annotation, canvas, proximity) => {
        const mask = (annotation as unknown as MaskAnnotation).data.mask;
        const viewport = viewportOf(element);
        const grid = shownPixelGrid(viewport);
        if (annotation.isLocked || !viewport || !grid || !mask.region || shownImage(libraries, viewport)?.sopInstanceUid !== mask.image.sopInstanceUid) {
          return false;
        }
        const at = (x: number, y: number): PixelPoint => grid.toPixel(viewport.canvasToWorld([x, y]));
        const here = at(canvas[0], canvas[1]);
        const beside = at(canvas[0] + proximity, canvas[1]);
        return regionContains(mask.region, here, Math.hypot(beside[0] - here[0], beside[1] - here[1]));
      };

      this.renderAnnotation = (enabledElement, drawing) => {
        const { viewport } = enabledElement;
        const grid = shownPixelGrid(viewport);
        const image = shownImage(libraries, viewport);
        if (!grid || !image) {
          return false;
        }
        const annotations = store.annotationsOf(image.sopInstanceUid);
        for (const annotation of annotations) {
          this.drawMask(viewport, annotation, drawing as unknown as SvgDrawing);
        }
        return annotations.length > 0;
      };
    }

    /** True takes the click away: masks cannot be drawn in this viewport. */
    preMouseDownCallback = (event: InteractionEvent): boolean => {
      const refused = !shownPixelGrid(viewportOf(event.detail.element));
      if (refused) {
        onRefused();
      }
      return refused;
    };

    /** The masks of the image shown, in whichever frame they were drawn; the one on top first. */
    override filterInteractableAnnotationsForElement(element: HTMLDivElement): Types.Annotations {
      const image = shownImage(libraries, viewportOf(element));
      return image ? store.annotationsOf(image.sopInstanceUid).reverse() : [];
    }

    override getHandleNearImagePoint(
      element: HTMLDivElement,
      annotation: Types.Annotation,
      canvas: Point2,
      proximity: number,
    ): Types.ToolHandle | undefined {
      const { handles } = annotation.data;
      const corner = this.cornersOnCanvas(viewportOf(element), annotation as MaskAnnotation).findIndex(
        ([x, y]) => Math.hypot(x - canvas[0], y - canvas[1]) < proximity,
      );
      if (handles) {
        handles.activeHandleIndex = corner >= 0 ? corner : null;
      }
      return handles?.points?.[corner];
    }

    /** The mask on top under a point of the canvas. */
    maskAt(element: HTMLDivElement, canvas: Point2): MaskAnnotation | undefined {
      return (this.filterInteractableAnnotationsForElement(element) as MaskAnnotation[]).find(annotation =>
        this.isPointNearTool(element, annotation as never, canvas, 2),
      );
    }

    private beginDrag(event: InteractionEvent, annotation: MaskAnnotation): void {
      const grid = shownPixelGrid(viewportOf(event.detail.element));
      this.dragStart = grid && { region: annotation.data.mask.region, point: grid.toPixel(event.detail.currentPoints.world) };
    }

    private cornersOnCanvas(viewport: ViewportLike | undefined, annotation: MaskAnnotation): Point2[] {
      const grid = shownPixelGrid(viewport);
      const { region } = annotation.data.mask;
      return viewport && grid && region ? regionCorners(region).map(corner => viewport.worldToCanvas(grid.toWorld(corner))) : [];
    }

    private drawMask(viewport: ViewportLike, annotation: MaskAnnotation, drawing: SvgDrawing): void {
      const [a, b, c, d] = this.cornersOnCanvas(viewport, annotation);
      if (!a || !b || !c || !d) {
        return;
      }
      const uid = annotation.annotationUID ?? '';
      const marked =
        !annotation.isLocked && (Boolean(annotation.highlighted) || cornerstoneTools.annotation.selection.isAnnotationSelected(uid));
      draw(drawing, `${uid}::mask`, 'polygon', {
        'points': [a, b, d, c].map(([x, y]) => `${x},${y}`).join(' '),
        'class': annotation.isLocked ? 'image-mask image-mask-burning' : marked ? 'image-mask image-mask-marked' : 'image-mask',
        'data-cy': 'image-mask',
        'data-mask-uid': uid,
      });
      if (marked) {
        [a, b, c, d].forEach(([x, y], index) =>
          draw(drawing, `${uid}::corner${index}`, 'rect', {
            x: `${x - 4}`,
            y: `${y - 4}`,
            width: '8',
            height: '8',
            class: 'image-mask-corner',
          }),
        );
      }
    }
  };
}

export type ImageMaskTool = InstanceType<ReturnType<typeof createMaskTool>>;
