import type { Types } from '@cornerstonejs/tools';
import type { ImageSize, Region } from './geometry';

/** Name of the tool in Cornerstone's tool groups. */
export const maskToolName = 'ImageMask';

/** The image a mask belongs to: one SOP Instance, in all its frames. */
export interface MaskedImage extends ImageSize {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

export interface Mask {
  readonly uid: string;
  readonly image: MaskedImage;
  /** Exactly the pixels that will be burned. */
  readonly region: Region;
  /** Approved: a job burns it or waits to, it can no longer be changed. */
  readonly burning: boolean;
}

/**
 * What a mask annotation carries. The region is the truth (null while nothing of a drag lies in the image yet); Cornerstone's
 * handle points are only there because it expects four, and say nothing.
 */
export interface MaskAnnotation extends Types.Annotation {
  data: Types.Annotation['data'] & { mask: { readonly image: MaskedImage; region: Region | null } };
}

export function isMaskAnnotation(annotation: Types.Annotation | undefined): annotation is MaskAnnotation {
  return annotation?.metadata?.toolName === maskToolName && typeof (annotation.data as { mask?: unknown }).mask === 'object';
}
