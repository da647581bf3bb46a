import * as Plot from '@observablehq/plot'
import { bytes, duration } from '../../text/format.ts'
import { chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { byteUnit, percent, timeUnit } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

/** Time and memory of the stages. */
export function costSection(record: RunRecord): Html | undefined {
  if (record.stages.length === 0) return undefined
  return section('cost', 'What it cost', [timeline(record), memory(record)])
}

function timeline({ stages, seconds, data }: RunRecord): Html {
  const unit = timeUnit(seconds)
  const bars = stages.map(({ stage, began, seconds: long, failed }, at) => ({
    // A stage may come twice; its place keeps the two apart.
    key: `${at}`,
    stage,
    from: began / unit.size,
    to: (began + long) / unit.size,
    text: duration(long),
    colour: failed ? ink.bad : ink.first,
  }))
  const end = Math.max(...bars.map(({ to }) => to), 1e-3)
  const [longest] = [...stages].sort((a, b) => b.seconds - a.seconds)
  const names = new Map(bars.map(({ key, stage }) => [key, stage]))
  const phases = data ? Object.entries(data.seconds).map(([phase, long]) => `${phase} ${duration(long)}`) : []
  return figure({
    title: 'Time by stage',
    text: `The run took ${duration(seconds)}; ${longest!.stage} is ${percent(longest!.seconds / Math.max(1e-9, seconds), 0)} of it.${phases.length > 0 ? ` Within load: ${phases.join(', ')}.` : ''}`,
    chart: chart(
      `When each stage began and how long it took: ${bars.map(({ stage, text }) => `${stage} ${text}`).join(', ')}.`,
      ({ narrow }) => ({
        height: 40 + 26 * bars.length,
        marginTop: 8,
        marginLeft: 76,
        marginRight: narrow ? 60 : 80,
        marginBottom: 38,
        x: {
          label: `${unit.name} since the start`,
          labelArrow: 'none',
          grid: true,
          domain: [0, end],
          ticks: narrow ? 4 : 8,
        },
        y: {
          label: null,
          domain: bars.map(({ key }) => key),
          tickFormat: (key: string) => names.get(key) ?? key,
          padding: 0.3,
        },
        marks: [
          Plot.barX(bars, { y: 'key', x1: 'from', x2: 'to', fill: 'colour', insetRight: -1 }),
          Plot.text(bars, { y: 'key', x: 'to', text: 'text', textAnchor: 'start', dx: 6, fill: ink.text }),
        ],
      }),
    ),
    table: {
      columns: ['stage', 'what came of it', 'began after', 'time', 'peak memory'],
      text: 2,
      rows: stages.map(({ stage, outcome, began, seconds: long, peakMemory, failed }) => [
        stage,
        failed ? `failed: ${outcome}` : outcome,
        duration(began),
        duration(long),
        bytes(peakMemory),
      ]),
    },
  })
}

function memory({ memory: { samples, plans, limit }, stages, seconds }: RunRecord): Html | undefined {
  if (samples.length === 0) return undefined
  const time = timeUnit(seconds)
  const peak = Math.max(...samples.map(([, most]) => most))
  const spans = plans.flatMap(({ stage, bytes: planned }) =>
    stages
      .filter((each) => each.stage === stage)
      .map(({ began, seconds: long, peakMemory }) => ({
        stage,
        planned,
        peakMemory,
        from: began / time.size,
        to: (began + long) / time.size,
      })),
  )
  const most = Math.max(peak, ...spans.map(({ planned }) => planned))
  const shown = limit <= 1.5 * most
  const unit = byteUnit(shown ? Math.max(limit, most) : most)
  const points = samples.map(([at, bytes]) => ({ at: at / time.size, used: bytes / unit.size }))
  const over = spans.filter(({ planned, peakMemory }) => peakMemory > planned)
  return figure({
    title: 'Memory over time',
    text: `Resident memory reached ${bytes(peak)}; the process may use ${bytes(limit)}.${over.length > 0 ? ` Above its plan: ${over.map(({ stage }) => stage).join(', ')}. A plan counts what the stage itself holds, not what stages before it have left with the process.` : spans.length > 0 ? ' Every planned stage stayed within its plan.' : ''}`,
    legend: legend([
      ['used', ink.first],
      ...(spans.length > 0 ? [['planned for the stage', ink.second] as const] : []),
      ...(shown ? [['limit of the process', ink.bad] as const] : []),
    ]),
    chart: chart(`Resident memory over the run, at most ${bytes(peak)}.`, ({ narrow }) => ({
      height: 240,
      marginLeft: 56,
      marginBottom: 40,
      x: {
        label: `${time.name} since the start`,
        labelArrow: 'none',
        domain: [0, Math.max(seconds / time.size, 1e-3)],
        ticks: narrow ? 4 : 8,
      },
      y: { label: unit.name, labelArrow: 'none', grid: true, ticks: 5, zero: true, nice: true },
      marks: [
        Plot.areaY(points, { x: 'at', y: 'used', fill: ink.first, fillOpacity: 0.18, curve: 'step-after' }),
        Plot.line(points, { x: 'at', y: 'used', stroke: ink.first, strokeWidth: 1.5, curve: 'step-after' }),
        Plot.ruleY(spans, {
          y: (d) => d.planned / unit.size,
          x1: 'from',
          x2: 'to',
          stroke: ink.second,
          strokeWidth: 2.5,
        }),
        Plot.text(
          spans.filter(({ from, to }) => (to - from) * time.size > 0.12 * seconds),
          { x: 'from', y: (d) => d.planned / unit.size, text: 'stage', textAnchor: 'start', dy: -8, fill: ink.second },
        ),
        ...(shown ? [Plot.ruleY([limit / unit.size], { stroke: ink.bad, strokeDasharray: '5 4' })] : []),
        Plot.ruleY([0], { stroke: ink.muted }),
      ],
    })),
    table: {
      columns: ['stage', 'planned', 'peak', 'of the plan'],
      rows: stages.map(({ stage, peakMemory }) => {
        const planned = plans.find((plan) => plan.stage === stage)?.bytes
        return [
          stage,
          planned ? bytes(planned) : '–',
          bytes(peakMemory),
          planned ? percent(peakMemory / planned, 0) : '–',
        ]
      }),
    },
  })
}
