import type { Baseline } from './baselines.ts'
import type { CurvePoint } from './curve.ts'

const WIDTH = 640
const HEIGHT = 420
const LEFT = 60
const RIGHT = 20
const TOP = 40
const BOTTOM = 50
const LEAST_SHARE = 1e-4
const DECADES = 3

/** Recall over the share of business numbers hit, which is drawn logarithmically from 0.01 to 10 %; baselines are dots. */
export function curveSvg(title: string, curve: readonly CurvePoint[], baselines: readonly Baseline[]): string {
  const x = (share: number) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * Math.log10(Math.max(share, LEAST_SHARE) / LEAST_SHARE)) / DECADES
  const y = (recall: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * recall
  const shown = curve.filter((point) => point.falsePositiveShare <= LEAST_SHARE * 10 ** DECADES)
  const steps = shown.map((point) => `${x(point.falsePositiveShare).toFixed(1)},${y(point.recall).toFixed(1)}`)
  const text = (atX: number, atY: number, anchor: string, content: string) =>
    `<text x="${atX.toFixed(1)}" y="${atY.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`
  const lines: string[] = []
  for (let decade = 0; decade <= DECADES; decade++) {
    const share = LEAST_SHARE * 10 ** decade
    lines.push(`<line x1="${x(share)}" y1="${y(0)}" x2="${x(share)}" y2="${y(1)}" stroke="#ddd"/>`)
    lines.push(text(x(share), y(0) + 18, 'middle', `${Number((share * 100).toPrecision(1))} %`))
  }
  for (let tenth = 0; tenth <= 10; tenth += 2) {
    lines.push(`<line x1="${x(0)}" y1="${y(tenth / 10)}" x2="${WIDTH - RIGHT}" y2="${y(tenth / 10)}" stroke="#ddd"/>`)
    lines.push(text(LEFT - 8, y(tenth / 10) + 4, 'end', `${tenth * 10} %`))
  }
  for (const { name, recall, falsePositiveShare } of baselines) {
    const isLeft = x(falsePositiveShare) < WIDTH / 2
    const labelX = x(falsePositiveShare) + (isLeft ? 7 : -7)
    lines.push(`<circle cx="${x(falsePositiveShare).toFixed(1)}" cy="${y(recall).toFixed(1)}" r="4" fill="#b33"/>`)
    lines.push(text(labelX, y(recall) + 4, isLeft ? 'start' : 'end', name))
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${text(LEFT, 24, 'start', title)}
${lines.join('\n')}
<polyline fill="none" stroke="#236" stroke-width="2" points="${steps.join(' ')}"/>
${text((WIDTH + LEFT) / 2, HEIGHT - 10, 'middle', 'business numbers at or above the threshold')}
</svg>
`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
