import { describe, expect, test } from 'vitest';
import { coveringRegion, middleRegion, moveRegion, regionContains, regionCorners, resizeRegion, type PixelPoint } from '../src/masks/geometry';

const size = { columns: 100, rows: 50 };

describe('coveringRegion', () => {
  test.each<[string, PixelPoint, PixelPoint, object | null]>([
    ['floors the near corner and ceils the far one, never rounds', [5.9, 4.9], [10.1, 9.1], { x: 5, y: 4, width: 6, height: 6 }],
    ['gives whole pixels back unchanged', [5, 4], [10, 9], { x: 5, y: 4, width: 5, height: 5 }],
    ['does not mind the direction of the drag', [10.1, 9.1], [5.9, 4.9], { x: 5, y: 4, width: 6, height: 6 }],
    ['forgives the float noise of a trip through world coordinates', [4.99999, 4], [10.00001, 9], { x: 5, y: 4, width: 5, height: 5 }],
    ['covers the pixel under a single point', [7.5, 7.5], [7.5, 7.5], { x: 7, y: 7, width: 1, height: 1 }],
    ['is clipped at the near edges', [-20, -3.5], [3.2, 2], { x: 0, y: 0, width: 4, height: 2 }],
    ['is clipped at the far edges', [95.5, 48], [400, 300], { x: 95, y: 48, width: 5, height: 2 }],
    ['covers the whole image from outside to outside', [-1, -1], [101, 51], { x: 0, y: 0, width: 100, height: 50 }],
    ['is nothing beside the image', [101, 10], [120, 20], null],
  ])('%s', (_name, a, b, expected) => {
    expect(coveringRegion(a, b, size)).toEqual(expected);
  });
});

test('moveRegion_KeepsTheSizeAndStaysInTheImage', () => {
  const region = { x: 10, y: 10, width: 20, height: 10 };
  expect(moveRegion(region, 3.4, -2.6, size)).toEqual({ x: 13, y: 7, width: 20, height: 10 });
  expect(moveRegion(region, -500, 500, size)).toEqual({ x: 0, y: 40, width: 20, height: 10 });
});

test('resizeRegion_EachCorner_LeavesTheOppositeCornerWhereItWas', () => {
  const region = { x: 10, y: 10, width: 20, height: 10 };
  expect(resizeRegion(region, 3, [40.2, 30.2], size)).toEqual({ x: 10, y: 10, width: 31, height: 21 });
  expect(resizeRegion(region, 0, [5.5, 5.5], size)).toEqual({ x: 5, y: 5, width: 25, height: 15 });
  expect(resizeRegion(region, 1, [40, 5], size)).toEqual({ x: 10, y: 5, width: 30, height: 15 });
  expect(resizeRegion(region, 2, [5, 30], size)).toEqual({ x: 5, y: 10, width: 25, height: 20 });
  expect(resizeRegion(region, 3, [5, 5], size)).toEqual({ x: 5, y: 5, width: 5, height: 5 });
  expect(resizeRegion(region, 3, [10, 10], size)).toEqual(region);
});

test('regionContains_CountsTheMargin', () => {
  const region = { x: 10, y: 10, width: 20, height: 10 };
  expect(regionContains(region, [10, 10])).toBe(true);
  expect(regionContains(region, [9, 10])).toBe(false);
  expect(regionContains(region, [9, 10], 2)).toBe(true);
});

test('regionCorners_OppositeCornersAddUpToThree', () => {
  const corners = regionCorners({ x: 1, y: 2, width: 3, height: 4 });
  expect(corners).toEqual([[1, 2], [4, 2], [1, 6], [4, 6]]);
});

test('middleRegion_TinyImage_HasAtLeastOnePixel', () => {
  expect(middleRegion({ columns: 1, rows: 1 })).toEqual({ x: 0, y: 0, width: 1, height: 1 });
});
