/** What the findings and reviews of the sidecar look like: /api/scan-findings, /api/reviews, /api/mask-templates, /api/samples, /api/dashboard, /api/scans. */

export type FindingKind = 'personName' | 'date' | 'identifier' | 'institution' | 'other' | 'harmless';
export type FindingState = 'open' | 'accepted' | 'dismissed' | 'masked';
export type ReviewState = 'new' | 'clean' | 'findings' | 'inReview' | 'finalized';
export type ScanState = 'waiting' | 'scanning' | 'scanned' | 'notScanned';
export type DecisionAction = 'accept' | 'dismiss' | 'acknowledge' | 'reopen';

export interface RegionView {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface FindingView {
  readonly id: string;
  readonly clusterId: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly instanceNumber?: number | null;
  /** 1-based; null: the same in all frames. */
  readonly frames?: readonly number[] | null;
  readonly region: RegionView;
  readonly confidence: number;
  readonly kind: FindingKind;
  readonly matchedAttribute?: string | null;
  readonly afterMasking: boolean;
  readonly state: FindingState;
  readonly decision?: { readonly action: DecisionAction; readonly by: string; readonly at: string; readonly reason?: string | null; readonly region?: RegionView | null } | null;
  readonly templateId?: string | null;
}

export interface ClusterView {
  readonly id: string;
  readonly kind: FindingKind;
  readonly matchedAttribute?: string | null;
  readonly confidence: number;
  readonly region: RegionView;
  readonly images: number;
  readonly findings: number;
  readonly isOutlier: boolean;
  readonly afterMasking: boolean;
  readonly state: FindingState;
  readonly seriesInstanceUids: readonly string[];
  readonly device: { readonly manufacturer: string; readonly model: string; readonly station: string };
  readonly rows: number;
  readonly columns: number;
  readonly photometric: string;
  readonly sopClass: string;
  readonly templateId?: string | null;
}

export interface UnscannableView {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly instanceNumber?: number | null;
  readonly reason: string;
  readonly acknowledged: boolean;
}

export interface StudyFindings {
  readonly study: string;
  readonly state: ReviewState;
  readonly scan: { readonly state: ScanState; readonly isWeak: boolean; readonly images: number; readonly engine?: string | null; readonly scannedAt?: string | null };
  readonly unscannable: readonly UnscannableView[];
  readonly clusters: readonly ClusterView[];
  readonly findings: readonly FindingView[];
  readonly templates: readonly { readonly id: string; readonly name: string; readonly regions: readonly RegionView[]; readonly images: number }[];
  readonly findingsVersion: string;
}

export interface FindingDecision {
  readonly findingIds?: readonly string[];
  readonly clusterId?: string;
  readonly unscannableIds?: readonly string[];
  /** With accept: proposes the template's masks on all images that it fits, and accepts them. */
  readonly templateId?: string;
  readonly action: DecisionAction;
  readonly reason?: string;
  readonly region?: RegionView;
}

export interface FindingDecisions {
  readonly study: string;
  readonly findingsVersion?: string;
  readonly decisions: readonly FindingDecision[];
}

/** Masks for the images of one device and layout. */
export interface NewMaskTemplate {
  readonly name: string;
  readonly device: { readonly manufacturer: string; readonly model: string };
  readonly rows: number;
  readonly columns: number;
  readonly photometric: string;
  readonly sopClass: string;
  readonly regions: readonly RegionView[];
}

export interface MaskTemplateView extends NewMaskTemplate {
  readonly id: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly uses: number;
}

export interface ReviewView {
  readonly studyInstanceUid: string;
  readonly state: ReviewState;
  readonly modalities: readonly string[];
  readonly stations: readonly string[];
  readonly images: number;
  readonly findings: number;
  readonly open: number;
  readonly undecided: number;
  readonly notApplied: number;
  readonly unscannable: number;
  readonly missed: number;
  readonly isWeak: boolean;
  readonly arrivedAt: string;
  readonly isInArchive: boolean;
  /** As DICOM writes it: YYYYMMDD. */
  readonly studyDate?: string | null;
  readonly description?: string | null;
  readonly patient?: { readonly name: string; readonly id: string } | null;
  readonly openedBy?: string | null;
  readonly openedAt?: string | null;
  readonly finalizedBy?: string | null;
  readonly finalizedAt?: string | null;
}

export type ReviewCounts = Readonly<Record<ReviewState, number>>;

export interface ReviewList {
  readonly counts: ReviewCounts;
  readonly total: number;
  readonly items: readonly ReviewView[];
}

export interface MissRateView {
  readonly reviewed: number;
  readonly missed: number;
  readonly upperBound95: number;
}

export interface FindingCountView {
  readonly name: string;
  readonly findings: number;
  readonly images: number;
}

export interface DashboardView {
  readonly missRate: MissRateView & { readonly byStratum: readonly (MissRateView & { readonly modality: string; readonly manufacturer: string; readonly model: string })[] };
  readonly findings: Readonly<Record<'byModality' | 'byStation' | 'byKind' | 'byDay', readonly FindingCountView[]>>;
  readonly queue: { readonly waiting: number; readonly oldestSeconds: number };
  readonly throughput: { readonly byDay: readonly { readonly day: string; readonly instances: number; readonly frames: number }[] };
  readonly reviews: ReviewCounts;
  readonly days: number;
}

export interface SampleView {
  readonly id: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

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
}
