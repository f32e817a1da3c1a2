/** Short names for the types of findings and reviews in the sidecar's OpenAPI document. */
import type { components } from './api';

type Schemas = components['schemas'];

export type ClusterView = Schemas['FindingCluster'];
export type DashboardView = Schemas['Dashboard'];
export type DecisionAction = Schemas['DecisionAction'];
export type FindingCountView = Schemas['FindingCount'];
export type FindingDecision = Schemas['DecisionEntry'];
export type FindingDecisions = Schemas['DecisionRequest'];
export type FindingKind = Schemas['FindingKind'];
export type FindingState = Schemas['FindingState'];
export type FindingView = Schemas['Finding'];
export type MaskTemplateView = Schemas['MaskTemplate'];
export type MissRateView = Pick<Schemas['MissRate'], 'reviewed' | 'missed' | 'upperBound95'>;
export type NewMaskTemplate = Schemas['MaskTemplateRequest'];
export type RegionView = Schemas['FindingRegion'];
export type ReviewList = Schemas['ReviewList'];
export type ReviewState = Schemas['ReviewState'];
export type ReviewView = Schemas['ReviewView'];
export type SampleView = Schemas['Sample'];
export type StudyFindings = Schemas['StudyFindings'];
export type UnscannableView = Schemas['UnscannableImage'];
