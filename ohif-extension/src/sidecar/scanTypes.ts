/** Short names for the types of scans and their schedules in the sidecar's OpenAPI document. */
import type { components } from './api';

type Schemas = components['schemas'];

export type NewScanSchedule = Schemas['ScanScheduleRequest'];
export type ScanQueryView = Schemas['ScanQuery'];
export type ScanRunView = Schemas['ScanRunView'];
export type ScanScheduleView = Schemas['ScanScheduleView'];
