import type { MaskJobView } from '../src/sidecar/types';

/** A job of three images as the sidecar would send it. */
export function aJob(changes: Partial<MaskJobView> = {}): MaskJobView {
  return {
    id: 'job-1',
    studyInstanceUid: '1.2',
    state: 'running',
    createdAt: '2026-01-01T10:00:00Z',
    createdBy: 'Mia Masker',
    createdBySubject: 'mia',
    scope: 'series',
    source: { seriesInstanceUid: '1.2.3', sopInstanceUid: '1.2.3.4' },
    regions: [{ x: 1, y: 2, width: 3, height: 4 }],
    total: 3,
    done: 0,
    failed: 0,
    frames: 3,
    maskedSopInstanceUids: [],
    failures: [],
    leftOut: [],
    cancelled: 0,
    restored: 0,
    ...changes,
  };
}

export function jsonResponse(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

/** A body that arrives in exactly these chunks. */
export function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      chunks.forEach(chunk => controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
      controller.close();
    },
  });
}
