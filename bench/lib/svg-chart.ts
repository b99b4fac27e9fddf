/** A small line chart as SVG text: axes, ticks, lines with names. Nothing a reader could not check by eye. */
export type ChartLine = { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }

/** What lies outside is drawn at its edge. A logarithmic one begins above 0. */
export type ChartAxis = {
  readonly label: string
  readonly min: number
  readonly max: number
  readonly ticks: readonly number[]
  readonly isLog?: boolean
}

export type Chart = {
  readonly title: string
  readonly x: ChartAxis
  readonly y: ChartAxis
  readonly lines: readonly ChartLine[]
}

const WIDTH = 760
const HEIGHT = 460
const MARGIN = { left: 70, right: 20, top: 40, bottom: 60 }
/** Okabe and Ito 2008: told apart by people who see colours differently. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']

export function svgChart({ title, x, y, lines }: Chart): string {
  const toX = (value: number) => round(MARGIN.left + shareAlong(x, value) * innerWidth())
  const toY = (value: number) => round(MARGIN.top + (1 - shareAlong(y, value)) * innerHeight())
  const bottom = HEIGHT - MARGIN.bottom
  const right = WIDTH - MARGIN.right
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${WIDTH / 2}" y="22" text-anchor="middle" font-size="14">${escaped(title)}</text>`,
  ]
  for (const tick of x.ticks) {
    const at = toX(tick)
    parts.push(`<line x1="${at}" y1="${MARGIN.top}" x2="${at}" y2="${bottom}" stroke="#ddd"/>`)
    parts.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`)
  }
  for (const tick of y.ticks) {
    const at = toY(tick)
    parts.push(`<line x1="${MARGIN.left}" y1="${at}" x2="${right}" y2="${at}" stroke="#ddd"/>`)
    parts.push(`<text x="${MARGIN.left - 8}" y="${at + 4}" text-anchor="end">${tick}</text>`)
  }
  parts.push(`<text x="${WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x.label)}</text>`)
  parts.push(
    `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    `<rect x="${MARGIN.left}" y="${MARGIN.top}" width="${innerWidth()}" height="${innerHeight()}" fill="none" stroke="#333"/>`,
  )
  for (const [index, { name, points }] of lines.entries()) {
    const colour = COLOURS[index % COLOURS.length]
    const path = points.map(([a, b], at) => `${at === 0 ? 'M' : 'L'}${toX(a)} ${toY(b)}`).join('')
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`)
    const legendY = bottom - 12 - (lines.length - 1 - index) * 16
    parts.push(`<text x="${right - 8}" y="${legendY}" text-anchor="end" fill="${colour}">${escaped(name)}</text>`)
  }
  return `${parts.join('\n')}\n</svg>\n`
}

/** 0 at the beginning of the axis, 1 at its end. */
function shareAlong({ min, max, isLog }: ChartAxis, value: number): number {
  const scale = isLog ? Math.log10 : (plain: number) => plain
  const held = Math.min(max, Math.max(min, value))
  return (scale(held) - scale(min)) / (scale(max) - scale(min))
}

function innerWidth(): number {
  return WIDTH - MARGIN.left - MARGIN.right
}

function innerHeight(): number {
  return HEIGHT - MARGIN.top - MARGIN.bottom
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
