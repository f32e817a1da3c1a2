/** The sidecar's HTTP contract, by the names of its OpenAPI document. */
import type { Region } from '../masks/geometry';

export type Permission = 'mask' | 'review' | 'audit' | 'administer';

export interface Me {
  readonly subject: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
}

export interface MaskSource {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

export type MaskScope = 'image' | 'series' | 'study';

export interface MaskJobRequest {
  readonly studyInstanceUid: string;
  readonly source: MaskSource;
  readonly regions: readonly Region[];
  readonly scope: MaskScope;
  readonly seriesInstanceUids?: readonly string[];
  readonly reason?: string;
}

export interface LeftOut {
  readonly seriesInstanceUid: string;
  readonly code: string;
  readonly message: string;
  readonly instances: number;
}

export interface MaskJobPreview {
  readonly instances: number;
  readonly frames: number;
  readonly series: readonly { readonly seriesInstanceUid: string; readonly modality?: string | null; readonly instances: number; readonly frames: number }[];
  readonly leftOut: readonly LeftOut[];
}

export type MaskJobState = 'queued' | 'running' | 'succeeded' | 'failed';

export interface MaskJobFailure {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly instanceNumber?: number | string | null;
  readonly reason: string;
}

export interface MaskJobView {
  readonly id: string;
  readonly studyInstanceUid: string;
  readonly state: MaskJobState;
  readonly createdAt: string;
  readonly startedAt?: string | null;
  readonly finishedAt?: string | null;
  readonly createdBy: string;
  readonly scope: MaskScope;
  readonly source: MaskSource;
  readonly regions: readonly Region[];
  readonly reason?: string | null;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly secondsLeft?: number | null;
  readonly frames: number;
  readonly maskedSopInstanceUids: readonly string[];
  readonly failures: readonly MaskJobFailure[];
  readonly leftOut: readonly LeftOut[];
}

export function isFinal(job: MaskJobView): boolean {
  return job.state === 'succeeded' || job.state === 'failed';
}
