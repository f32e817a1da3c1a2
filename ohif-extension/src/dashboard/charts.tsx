import type { ReactNode } from 'react';
import { language, t } from '../i18n';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** What the value alone does not say. */
  readonly detail?: string;
}

interface ChartProps {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** What the values count. */
  readonly unit: string;
}

const number = (value: number): string => value.toLocaleString(language());

/** Horizontal bars, one a line, with the name at its left and the value at its end. */
export function BarChart({ title, bars, unit }: ChartProps): ReactNode {
  const most = Math.max(1, ...bars.map(bar => bar.value));
  const [line, width, names] = [26, 460, 150];
  return (
    <Chart title={title} bars={bars} unit={unit}>
      <svg viewBox={`0 0 ${width} ${bars.length * line}`} role="img" aria-label={title} className="chart">
        {bars.map((bar, index) => {
          const length = ((width - names - 60) * bar.value) / most;
          return (
            <g key={bar.name} transform={`translate(0 ${index * line})`}>
              <title>{[`${bar.name}: ${number(bar.value)} ${unit}`, bar.detail].filter(Boolean).join(', ')}</title>
              <text x={names - 8} y={17} textAnchor="end">{shorten(bar.name)}</text>
              <rect x={names} y={4} width={Math.max(bar.value > 0 ? 2 : 0, length)} height={line - 8} rx={2} className="bar" />
              <text x={names + length + 6} y={17}>{number(bar.value)}</text>
            </g>
          );
        })}
      </svg>
    </Chart>
  );
}

/** Columns over time, every day of the range, days without anything included. */
export function DayChart({ title, bars, unit, days, today = new Date() }: ChartProps & { readonly days: number; readonly today?: Date }): ReactNode {
  const values = new Map(bars.map(bar => [bar.name, bar]));
  const all = Array.from({ length: days }, (_none, index) => {
    const day = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - days + 1 + index)).toISOString().slice(0, 10);
    return values.get(day) ?? { name: day, value: 0 };
  });
  const most = Math.max(1, ...all.map(bar => bar.value));
  const [width, height, left] = [460, 150, 48];
  const step = (width - left) / days;
  return (
    <Chart title={title} bars={bars} unit={unit}>
      <svg viewBox={`0 0 ${width} ${height + 22}`} role="img" aria-label={title} className="chart">
        {[0, most].map(value => (
          <g key={value}>
            <line x1={left} x2={width} y1={height - (height - 12) * (value / most)} y2={height - (height - 12) * (value / most)} className="grid" />
            <text x={left - 6} y={height - (height - 12) * (value / most) + 4} textAnchor="end">{number(value)}</text>
          </g>
        ))}
        {all.map((bar, index) => {
          const tall = ((height - 12) * bar.value) / most;
          return (
            <rect key={bar.name} x={left + index * step + step * 0.1} y={height - tall} width={step * 0.8} height={tall} className="bar">
              <title>{[`${bar.name}: ${number(bar.value)} ${unit}`, bar.detail].filter(Boolean).join(', ')}</title>
            </rect>
          );
        })}
        <text x={left} y={height + 16}>{all[0]?.name}</text>
        <text x={width} y={height + 16} textAnchor="end">{all.at(-1)?.name}</text>
      </svg>
    </Chart>
  );
}

function Chart({ title, bars, unit, children }: ChartProps & { readonly children: ReactNode }): ReactNode {
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      {bars.length === 0 ? <p className="quiet">{t('dashboard.nothing')}</p> : children}
      {bars.length > 0 && (
        <details>
          <summary>{t('dashboard.asTable')}</summary>
          <table>
            <thead>
              <tr><th scope="col">{title}</th><th scope="col" className="number">{unit}</th></tr>
            </thead>
            <tbody>
              {bars.map(bar => <tr key={bar.name}><th scope="row">{bar.name}</th><td className="number">{number(bar.value)}{bar.detail ? ` (${bar.detail})` : ''}</td></tr>)}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}

function shorten(name: string): string {
  return name.length > 22 ? `${name.slice(0, 21)}…` : name;
}
