import { orthanc } from '../support/orthanc.ts';
import { expect, test } from '../support/test.ts';

test('metadata, attachments and protection of a single-instance study survive the replacement, at all four levels', async ({ viewer, store }) => {
  const study = await store('radiograph');
  const family = await orthanc.familyOf(study.instances[0]!);
  const patient = family.find(({ level }) => level === 'patients')!;
  for (const member of family) {
    await orthanc.putMetadata(member, 4321, `a note at ${member.level}`);
    await orthanc.putAttachment(member, 4322, Buffer.from(`a file at ${member.level}`));
  }
  await orthanc.protect(patient);

  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  const { regions } = await viewer.approve();
  await viewer.burned();

  expect((await study.judge(regions))[0]!.problems).toEqual([]);
  expect(await orthanc.familyOf(study.instances[0]!)).toEqual(family);
  for (const member of family) {
    expect(await orthanc.metadata(member, 4321)).toBe(`a note at ${member.level}`);
    expect((await orthanc.attachment(member, 4322)).toString()).toBe(`a file at ${member.level}`);
  }
  expect(await orthanc.isProtected(patient)).toBe(true);
});
