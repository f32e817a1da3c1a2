import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { saveFile } from '../host/saveFile';
import { language, t, tn } from '../i18n';
import { describe } from '../pages/describe';
import type { PageClient } from '../sidecar/pageClient';
import type { MaskTemplateView } from '../sidecar/reviewTypes';

export interface TemplateListProps {
  readonly client: PageClient;
  readonly mayDelete: boolean;
  readonly mayImport: boolean;
}

/** Masks kept for the next study of the same device: listed, deleted, exported to and imported from another site. */
export function TemplateList({ client, mayDelete, mayImport }: TemplateListProps): ReactNode {
  const [templates, setTemplates] = useState<readonly MaskTemplateView[]>();
  const [problem, setProblem] = useState('');
  const [said, setSaid] = useState('');
  const [asking, setAsking] = useState<string>();
  const file = useRef<HTMLInputElement>(null);

  const load = useCallback(
    (signal?: AbortSignal) => client.templates(signal).then(setTemplates, (error: unknown) => !signal?.aborted && setProblem(describe(error))),
    [client],
  );
  useEffect(() => {
    const leave = new AbortController();
    void load(leave.signal);
    return () => leave.abort();
  }, [load]);

  const run = async (work: () => Promise<string>): Promise<void> => {
    setProblem('');
    setSaid('');
    try {
      setSaid(await work());
      await load();
    } catch (error) {
      setProblem(describe(error));
    }
  };

  return (
    <main>
      <h1>{t('page.templates')}</h1>
      <p className="quiet">{t('templateList.explain')}</p>
      <p className="buttons">
        <button type="button" disabled={!templates?.length} onClick={() => void client.exportTemplates().then(blob => saveFile(blob, 'mask-templates.json'), (error: unknown) => setProblem(describe(error)))}>
          {t('templateList.export')}
        </button>
        {mayImport && (
          <>
            <button type="button" onClick={() => file.current?.click()}>
              {t('templateList.import')}
            </button>
            <input
              ref={file}
              type="file"
              accept="application/json,.json"
              hidden
              aria-label={t('templateList.import')}
              onChange={event => {
                const chosen = event.target.files?.[0];
                event.target.value = '';
                if (chosen) {
                  void run(async () => {
                    const { added, known } = await client.importTemplates(await chosen.text());
                    return t('templateList.imported', { added, known });
                  });
                }
              }}
            />
          </>
        )}
      </p>
      {problem && <p role="alert">{problem}</p>}
      <p role="status" className="quiet">
        {said || (templates ? tn('templateList.count', templates.length) : problem ? '' : t('page.loading'))}
      </p>
      {templates && templates.length > 0 && (
        <table>
          <caption className="hidden">{t('page.templates')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('templateList.masks')}</th>
              <th scope="col">{t('templates.name')}</th>
              <th scope="col">{t('templateList.device')}</th>
              <th scope="col">{t('templateList.layout')}</th>
              <th scope="col" className="number">{t('templateList.uses')}</th>
              <th scope="col">{t('templateList.kept')}</th>
              {mayDelete && <th scope="col"><span className="hidden">{t('worklist.do')}</span></th>}
            </tr>
          </thead>
          <tbody>
            {templates.map(template => (
              <tr key={template.id}>
                <td><Outline template={template} /></td>
                <th scope="row">{template.name}</th>
                <td>{template.device.manufacturer}<div className="quiet">{template.device.model}</div></td>
                <td>{template.columns} × {template.rows}<div className="quiet">{template.photometric}</div></td>
                <td className="number">{template.uses}</td>
                <td>{template.createdBy}<div className="quiet">{new Date(template.createdAt).toLocaleDateString(language())}</div></td>
                {mayDelete && (
                  <td>
                    {asking === template.id ? (
                      <div className="buttons">
                        <button
                          type="button"
                          className="danger"
                          autoFocus
                          onClick={() => {
                            setAsking(undefined);
                            void run(async () => {
                              await client.deleteTemplate(template.id);
                              return t('templateList.deleted', { name: template.name });
                            });
                          }}
                        >
                          {t('templateList.delete.sure')}
                        </button>
                        <button type="button" onClick={() => setAsking(undefined)}>{t('dialog.cancel')}</button>
                      </div>
                    ) : (
                      <button type="button" onClick={() => setAsking(template.id)}>
                        {t('templateList.delete')}<span className="hidden"> {template.name}</span>
                      </button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </main>
  );
}

/** The image's shape with its masks, so that a template is known at a glance. */
function Outline({ template: { columns, rows, regions } }: { readonly template: MaskTemplateView }): ReactNode {
  return (
    <svg className="outline" viewBox={`0 0 ${columns} ${rows}`} width={72} height={Math.max(20, Math.min(72, (72 * rows) / columns))} role="img" aria-label={tn('templates.regions', regions.length)}>
      <rect width={columns} height={rows} className="outline-image" />
      {regions.map(region => (
        <rect key={`${region.x} ${region.y} ${region.width} ${region.height}`} {...region} className="outline-mask" />
      ))}
    </svg>
  );
}
