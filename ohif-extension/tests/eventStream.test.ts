import { expect, test } from 'vitest';
import { readEventStream, type ServerSentEvent } from '../src/sidecar/eventStream';
import { streamOf } from './support';

async function eventsOf(...chunks: (string | Uint8Array)[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readEventStream(streamOf(...chunks))) {
    events.push(event);
  }
  return events;
}

test('readEventStream_EventCutAnywhere_IsReadWhole', async () => {
  const text = 'event: progress\ndata: {"name":"Bär"}\n\n: keep-alive\n\nevent: progress\ndata: {"n":2}\n\n';
  const bytes = new TextEncoder().encode(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(await eventsOf(bytes.slice(0, cut), bytes.slice(cut)), `cut at ${cut}`).toEqual([
      { event: 'progress', data: '{"name":"Bär"}' },
      { event: 'comment', data: 'keep-alive' },
      { event: 'progress', data: '{"n":2}' },
    ]);
  }
});

test('readEventStream_CarriageReturns_CutBetweenThem_EndOneLineOnly', async () => {
  const text = 'event: progress\r\ndata: 1\r\n\r\ndata: 2\r\rdata: 3\r\n\r\n';
  for (let cut = 0; cut <= text.length; cut++) {
    expect(await eventsOf(text.slice(0, cut), text.slice(cut)), `cut at ${cut}`).toEqual([
      { event: 'progress', data: '1' },
      { event: 'message', data: '2' },
      { event: 'message', data: '3' },
    ]);
  }
});

test('readEventStream_SeveralDataLines_AreJoined_AndOtherFieldsIgnored', async () => {
  expect(await eventsOf('id: 7\nretry: 10\ndata: a\ndata:b\ndata\n\n')).toEqual([{ event: 'message', data: 'a\nb\n' }]);
});

test('readEventStream_StreamEndsInMidEvent_GivesNoHalfEvent', async () => {
  expect(await eventsOf('data: {"half":')).toEqual([]);
});
