/** Orthanc's own REST interface, which only the tests reach past nginx and the sidecar. */
import { orthancAuthorization, orthancUrl } from './stack.ts';

async function ask(method: string, path: string, body?: Buffer | string): Promise<Response> {
  const response = await fetch(`${orthancUrl}${path}`, { method, body: body as BodyInit, headers: { authorization: orthancAuthorization() } });
  if (!response.ok) {
    throw new Error(`Orthanc answered ${method} ${path} with ${response.status}: ${await response.text()}`);
  }
  return response;
}

export type Level = 'patients' | 'studies' | 'series' | 'instances';

export interface Resource {
  readonly level: Level;
  readonly id: string;
}

export const orthanc = {
  store: async (file: Buffer): Promise<string> => ((await (await ask('POST', '/instances', file)).json()) as { ID: string }).ID,

  /** Modalities that are not named may not store (orthanc.json). */
  allowModality: (title: string) => ask('PUT', `/modalities/${title}`, JSON.stringify([title, '127.0.0.1', 104])),

  /** The instances of a study, in order of InstanceNumber. */
  instancesOf: async (studyInstanceUid: string): Promise<string[]> => {
    const [study] = (await (await ask('POST', '/tools/lookup', studyInstanceUid)).json()) as { ID: string }[];
    const instances = (await (await ask('GET', `/studies/${study!.ID}/instances`)).json()) as { ID: string; MainDicomTags: { InstanceNumber: string } }[];
    return instances.sort((a, b) => Number(a.MainDicomTags.InstanceNumber) - Number(b.MainDicomTags.InstanceNumber)).map(({ ID }) => ID);
  },

  sopInstanceUid: async (instance: string): Promise<string> =>
    ((await (await ask('GET', `/instances/${instance}`)).json()) as { MainDicomTags: { SOPInstanceUID: string } }).MainDicomTags.SOPInstanceUID,

  file: async (instance: string): Promise<Buffer> => Buffer.from(await (await ask('GET', `/instances/${instance}/file`)).arrayBuffer()),

  /** The instance and what it belongs to, on all four levels. */
  familyOf: async (instance: string): Promise<Resource[]> => [
    { level: 'instances', id: instance },
    ...(await Promise.all((['series', 'study', 'patient'] as const).map(async name => ({
      level: (name === 'series' ? name : name === 'study' ? 'studies' : 'patients') as Level,
      id: ((await (await ask('GET', `/instances/${instance}/${name}`)).json()) as { ID: string }).ID,
    })))),
  ],

  putMetadata: (of: Resource, number: number, text: string) => ask('PUT', `/${of.level}/${of.id}/metadata/${number}`, text),
  metadata: async (of: Resource, number: number) => (await ask('GET', `/${of.level}/${of.id}/metadata/${number}`)).text(),
  putAttachment: (of: Resource, number: number, content: Buffer) => ask('PUT', `/${of.level}/${of.id}/attachments/${number}`, content),
  attachment: async (of: Resource, number: number) => Buffer.from(await (await ask('GET', `/${of.level}/${of.id}/attachments/${number}/data`)).arrayBuffer()),
  protect: (patient: Resource) => ask('PUT', `/patients/${patient.id}/protected`, '1'),
  isProtected: async (patient: Resource) => (await (await ask('GET', `/patients/${patient.id}/protected`)).text()).trim() === '1',
  delete: (of: Resource) => ask('DELETE', `/${of.level}/${of.id}`),
};
