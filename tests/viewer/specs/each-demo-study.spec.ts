import { expect, test } from '../support/test.ts';
import type { StudyName } from '../support/studies.ts';

const frames: Record<StudyName, number> = { 'ultrasound-still': 1, 'ultrasound-cine': 60, ct: 1, radiograph: 1 };

for (const name of Object.keys(frames) as StudyName[]) {
  test(`${name}: the banner is burned in, in every frame, and nothing else changes`, async ({ viewer, store }) => {
    const study = await store(name);
    await viewer.open(study.studyInstanceUid);
    await viewer.choose('Draw Mask');
    await viewer.draw(study.banner);
    const { regions } = await viewer.approve();

    // One screen pixel may be wider than one stored pixel; the mask may only be larger for it, by what a hand cannot see.
    const [{ x, y, width, height }] = regions as [typeof study.banner];
    expect(Math.abs(x - study.banner.x)).toBeLessThanOrEqual(2);
    expect(Math.abs(y - study.banner.y)).toBeLessThanOrEqual(2);
    expect(Math.abs(width - study.banner.width)).toBeLessThanOrEqual(4);
    expect(Math.abs(height - study.banner.height)).toBeLessThanOrEqual(4);

    await viewer.burned();
    // A screen pixel at the edge also shows a little of what lies outside, which is bright on the radiograph.
    await expect.poll(() => viewer.brightest({ x: x + 4, y: y + 4, width: width - 8, height: height - 8 })).toBeLessThan(10);
    const [verdict, ...others] = await study.judge(regions);
    expect(verdict).toMatchObject({ problems: [], frames: frames[name] });
    expect(verdict!.outputTransferSyntax).toBe(verdict!.transferSyntax);
    for (const other of others) {
      // Only this image was chosen: the rest of the series is as it was.
      expect(other.changedInside + other.changedOutside).toBe(0);
    }
  });
}
