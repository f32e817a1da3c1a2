/** A rectangle of stored pixels: origin top left, the far edges are not part of it. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ImageSize {
  readonly columns: number;
  readonly rows: number;
}

/** A point in stored pixels, measured from the outer corner of the first pixel: pixel n reaches from n to n + 1. */
export type PixelPoint = readonly [x: number, y: number];

export type WorldPoint = [number, number, number];

/** Where the stored pixels of the image shown lie in the world of its viewport. */
export interface PixelGrid extends ImageSize {
  toPixel(world: WorldPoint): PixelPoint;
  toWorld(pixel: PixelPoint): WorldPoint;
}

/** Float noise of the trip pixel -> world -> pixel; without it a corner on a pixel's edge would take in the next pixel. */
const noise = 1e-4;

/**
 * The smallest rectangle of whole pixels that covers everything between two points: near corner floored, far corner
 * ceiled, never rounded, then clipped to the image. Null where nothing of it lies in the image.
 */
export function coveringRegion(a: PixelPoint, b: PixelPoint, size: ImageSize): Region | null {
  const left = Math.max(0, Math.floor(Math.min(a[0], b[0]) + noise));
  const top = Math.max(0, Math.floor(Math.min(a[1], b[1]) + noise));
  const right = Math.min(size.columns, Math.ceil(Math.max(a[0], b[0]) - noise));
  const bottom = Math.min(size.rows, Math.ceil(Math.max(a[1], b[1]) - noise));
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

/** The four corners in the order of a rectangle tool's handles: i and 3 - i are opposite. */
export function regionCorners({ x, y, width, height }: Region): readonly [PixelPoint, PixelPoint, PixelPoint, PixelPoint] {
  return [
    [x, y],
    [x + width, y],
    [x, y + height],
    [x + width, y + height],
  ];
}

/** Moves by whole pixels and stops at the image's edges: a move never changes the size. */
export function moveRegion(region: Region, dx: number, dy: number, size: ImageSize): Region {
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), Math.max(most, 0));
  return {
    ...region,
    x: clamp(region.x + Math.round(dx), size.columns - region.width),
    y: clamp(region.y + Math.round(dy), size.rows - region.height),
  };
}

/** Drags one corner; the opposite corner stays. Keeps the region where nothing would be left of it. */
export function resizeRegion(region: Region, corner: number, to: PixelPoint, size: ImageSize): Region {
  const anchor = regionCorners(region)[3 - corner];
  return (anchor && coveringRegion(anchor, to, size)) ?? region;
}

/** Whether the point lies in the region or at most `margin` pixels outside. */
export function regionContains(region: Region, [x, y]: PixelPoint, margin = 0): boolean {
  return (
    x >= region.x - margin && x <= region.x + region.width + margin && y >= region.y - margin && y <= region.y + region.height + margin
  );
}

/** A region of about a fifth of the image in its middle, for those who place masks by keyboard. */
export function middleRegion({ columns, rows }: ImageSize): Region {
  const width = Math.max(1, Math.round(columns / 5));
  const height = Math.max(1, Math.round(rows / 10));
  return { x: Math.floor((columns - width) / 2), y: Math.floor((rows - height) / 2), width, height };
}
