import type { components } from '../sidecar/api';

// The sidecar's own sentences are English. Here is what each of its stable names means in German; {detail} is its sentence, where that says more.

export type Sentences = Readonly<Record<string, string>>;

/** Why a mask job left an image as it was. */
export const failuresDe: Record<NonNullable<components['schemas']['RefusalCause']>, string> = {
  unsupported: 'Die Pixel dieses Bildes lassen sich nicht exakt schwärzen; es blieb unverändert. Der Dienst meldet: {detail}',
  damaged: 'Die Datei dieses Bildes ist beschädigt oder nicht lesbar; sie blieb unverändert. Der Dienst meldet: {detail}',
  deleted: 'Das Bild ist nicht mehr im Bildarchiv (Orthanc); jemand hat es nach dem Beginn des Auftrags gelöscht.',
  changed: 'Das Bild ist ein anderes als das angesehene: Es wurde inzwischen erneut gesendet oder geschwärzt. Es blieb, wie es ist; sehen Sie es noch einmal an.',
  archive: 'Das Bildarchiv (Orthanc) hat das Bild nicht geliefert oder nicht angenommen; es blieb unverändert. Der Dienst meldet: {detail}',
  storage:
    'Der eigene Ordner des Dienstes (Storage:Directory) ließ sich zu lange nicht beschreiben: Der Datenträger ist voll oder defekt, oder der Zugriff fehlt. Das Bild blieb unverändert. Verständigen Sie die Administration, und schwärzen Sie es erneut, wenn wieder Platz ist.',
  software: 'Die Software ist an diesem Bild gescheitert; es blieb unverändert. Bitte melden Sie das der Administration.',
};

/** Why an image could not be searched for text. */
export const unscannableDe: Record<NonNullable<components['schemas']['UnscannableCause']>, string> = {
  unsupported: 'Dieses Bild lässt sich hier nicht dekodieren; niemand hat darin nach Text gesucht. Der Dienst meldet: {detail}',
  damaged: 'Die Datei dieses Bildes ist beschädigt oder nicht lesbar. Der Dienst meldet: {detail}',
  archive: 'Das Bildarchiv (Orthanc) liefert dieses Bild nicht.',
  detector: 'Die Suche nach Text ist an diesem Bild gescheitert, oder ihre Bestandteile sind nicht installiert. Der Dienst meldet: {detail}',
  software: 'Die Software ist an der Serie dieses Bildes gescheitert. Bitte melden Sie das der Administration.',
};

/** Why an original was not put back. */
export const restoreFailuresDe: Sentences = {
  damaged: 'Das aufbewahrte Original ist beschädigt oder fehlt. Das geschwärzte Bild blieb unverändert. Der Dienst meldet: {detail}',
  deleted:
    'Das geschwärzte Bild ist nicht mehr im Bildarchiv (Orthanc). Das Original bleibt aufbewahrt, bis seine Frist endet, wird aber nur über sein geschwärztes Bild zurückgelegt: Senden Sie dieses erneut an das Archiv, und verlangen Sie die Wiederherstellung noch einmal.',
  changed:
    'Das Bild im Archiv (Orthanc) ist ein anderes als das, das diese Schwärzung gespeichert hat: Es wurde erneut gesendet oder noch einmal geschwärzt. Es blieb, wie es ist; das Original bleibt aufbewahrt, bis seine Frist endet. Wurde noch einmal geschwärzt, stellen Sie zuerst jene Schwärzung wieder her.',
  archive:
    'Das Bildarchiv (Orthanc) hat nicht mitgewirkt. Das geschwärzte Bild bleibt dort, das Original bleibt aufbewahrt, bis seine Frist endet; verlangen Sie die Wiederherstellung noch einmal, wenn das Archiv arbeitet. Der Dienst meldet: {detail}',
  storage:
    'Der eigene Ordner des Dienstes (Storage:Directory) ließ sich zu lange nicht benutzen: Der Datenträger ist voll oder defekt. Das geschwärzte Bild bleibt im Archiv, das Original bleibt aufbewahrt, bis seine Frist endet. Verständigen Sie die Administration, und verlangen Sie die Wiederherstellung noch einmal, wenn wieder Platz ist.',
  software:
    'Die Software ist an diesem Auftrag gescheitert. Das geschwärzte Bild bleibt im Archiv, das Original bleibt aufbewahrt, bis seine Frist endet. Bitte melden Sie das vorher der Administration.',
};

/** Refusals, by the last word of their type. */
export const problemsDe: Sentences = {
  'dependency-unavailable': 'Ein Teil, den der Schwärzungsdienst braucht (Bildarchiv, Anmeldedienst oder Datenträger), antwortet nicht richtig. Versuchen Sie es gleich noch einmal.',
  'finding-masked': 'Ein gewählter Fund ist schon geschwärzt; darüber lässt sich nicht mehr anders entscheiden.',
  'findings-changed': 'Die Funde sind nicht mehr, wie Sie sie gesehen haben: Es kamen welche hinzu, fielen weg oder wurden anders entschieden. Durch diese Anfrage hat sich nichts geändert. Sehen Sie noch einmal hin.',
  'findings-open': 'Es ist noch nicht alles entschieden. Der Dienst meldet: {detail}',
  'forbidden': 'Ihr Konto hat das Recht nicht, das hierfür nötig ist. Fragen Sie die Administration nach der Rolle.',
  'idempotency-key': 'Die Anfrage war unvollständig (Idempotency-Key). Laden Sie die Seite neu, und versuchen Sie es noch einmal.',
  'idempotency-key-reused': 'Diese Anfrage wurde schon mit anderem Inhalt gesendet. Laden Sie die Seite neu, und versuchen Sie es noch einmal.',
  'images-changed': 'Seit Sie hingesehen haben, wurden gewählte Bilder hinzugefügt, entfernt, erneut gesendet oder geschwärzt. Durch diese Anfrage hat sich nichts geändert. Sehen Sie die Bilder noch einmal an.',
  'internal-error': 'Der Schwärzungsdienst ist an dieser Anfrage gescheitert; sie hat nichts geändert. Der Grund steht in seinem Protokoll.',
  'invalid-request': 'Der Schwärzungsdienst nimmt diese Eingabe nicht an. Er meldet: {detail}',
  'job-cancelled': 'Diese Schwärzung wurde schon abgebrochen. Durch diese Anfrage hat sich nichts geändert.',
  'job-decided': 'Über diese Schwärzung hat schon jemand entschieden. Durch diese Anfrage hat sich nichts geändert. Der Dienst meldet: {detail}',
  'job-finished': 'Diese Schwärzung ist schon beendet; es gibt nichts mehr abzubrechen.',
  'job-not-awaiting': 'Diese Schwärzung begann ohne zweite Person; es gibt nichts zu bestätigen oder abzulehnen.',
  'job-running': 'Diese Schwärzung oder eine frühere Wiederherstellung läuft noch. Warten Sie ihr Ende ab.',
  'mask-job-running': 'Bilder dieser Studie werden gerade geschwärzt, oder eine Schwärzung wartet auf eine zweite Person. Warten Sie das Ende ab.',
  'no-certificate': 'Für diesen Auftrag gibt es noch keinen Nachweis. Der Dienst meldet: {detail}',
  'not-found': 'Das gibt es nicht oder nicht mehr. Der Dienst meldet: {detail}',
  'nothing-to-mask': 'Hier gibt es nichts zu schwärzen. Der Dienst meldet: {detail}',
  'nothing-to-restore': 'Von dieser Schwärzung ist kein Original aufbewahrt: Es wurde nie aufbewahrt, ist schon wiederhergestellt, oder seine Frist ist um.',
  'orthanc-unsafe': 'Das Bildarchiv ist nicht für das Schwärzen eingerichtet. Verständigen Sie die Administration. Der Dienst meldet: {detail}',
  'own-approval': 'Sie haben diese Schwärzung selbst freigegeben; eine andere Person muss sie bestätigen oder ablehnen. Sie können sie abbrechen.',
  'reason-missing': 'Ein Grund fehlt oder ist zu lang. Der Dienst meldet: {detail}',
  'region-outside-image': 'Eine Maske liegt außerhalb des Bildes. Zeichnen Sie sie neu. Der Dienst meldet: {detail}',
  'review-finalized': 'Diese Studie ist schon abgeschlossen. Öffnen Sie sie zuerst wieder.',
  'review-open': 'Diese Studie ist nicht oder nicht mehr abgeschlossen.',
  'sample-answered': 'Sie haben diese Frage schon beantwortet. Fordern Sie das nächste Bild an.',
  'scan-ended': 'Diese Suche ist beendet, oder es ist eine der beiden, die nie enden und sich nur anhalten lassen.',
  'scan-pending': 'Es ist noch nicht alles durchsucht. Der Dienst meldet: {detail}',
  'search-failed': 'Die Suche im Bildarchiv (Orthanc) ist gescheitert. Der Dienst meldet: {detail}',
  'search-refused': 'Das Bildarchiv (Orthanc) versteht diese Suche nicht.',
  'series-unknown': 'Eine gewählte Serie gehört nicht oder nicht mehr zu dieser Studie. Laden Sie die Studie neu.',
  'source-not-an-image': 'Die Masken beziehen sich auf ein Objekt ohne Pixel.',
  'source-unknown': 'Das Bild, auf dem die Masken gezeichnet wurden, ist nicht oder nicht mehr im Bildarchiv. Laden Sie die Studie neu.',
  'study-ambiguous': 'Das Bildarchiv führt diese Studie unter mehreren Patientennummern; daher ist nicht sicher, welche Bilder gemeint sind. Die Administration muss das zuerst bereinigen.',
  'study-unknown': 'Diese Studie ist nicht oder nicht mehr im Bildarchiv. Laden Sie die Studienliste neu.',
  'too-many-requests': 'Das waren zu viele Änderungen in kurzer Zeit. Durch diese Anfrage hat sich nichts geändert; warten Sie eine Sekunde, und senden Sie sie noch einmal.',
  'unauthenticated': 'Ihre Sitzung fehlt oder ist abgelaufen. Melden Sie sich neu an.',
};
