/** Scans and their schedules: /api/scans and /api/scan-schedules. */

/** Which images of the archive; what is left out does not limit. */
export interface ScanQueryView {
  readonly modality?: string | null;
  readonly station?: string | null;
  readonly dateFrom?: string | null;
  readonly dateTo?: string | null;
  readonly neverScanned?: boolean;
  readonly olderEngine?: boolean;
}

export interface ScanRunView {
  readonly id: string;
  readonly kind: 'arrivals' | 'backlog' | 'study' | 'bulk';
  readonly state: 'running' | 'paused' | 'finished' | 'cancelled';
  readonly counts: Readonly<Record<'studies' | 'series' | 'waiting' | 'scanned' | 'unscannable' | 'findings', number>>;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly study?: string | null;
  readonly query?: ScanQueryView | null;
  readonly schedule?: string | null;
  readonly mayWorkNow: boolean;
  readonly finishedAt?: string | null;
}

export interface NewScanSchedule {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly query: ScanQueryView;
  readonly windowStart?: string | null;
  readonly windowEnd?: string | null;
  readonly maxInstances?: number | null;
  readonly enabled: boolean;
}

export interface ScanScheduleView extends NewScanSchedule {
  readonly id: string;
  readonly nextAt?: string | null;
}
