import type { Facet, Neighbours, Overview } from '../answers.ts'
import type { Change } from './address.ts'
import type { State } from './state.ts'

interface FiltersProps {
  readonly overview: Overview
  readonly state: State
  readonly answer: Neighbours | undefined
  readonly onChange: Change
}

/** On a phone the list comes first. */
const wide = matchMedia('(min-width: 861px)').matches

const dialNames = {
  likeness: ['Likeness', 'More of the same: the angle between vectors.'],
  between: ['Between', 'Half-way: taste, with less weight on what many people have.'],
  taste: ['Taste', 'For somebody who has these: what the model would recommend.'],
} as const

export function Filters({ overview, state, answer, onChange }: FiltersProps) {
  const set = (patch: Partial<State>, step?: 'push' | 'replace') =>
    onChange((now) => ({ ...now, ...patch, why: undefined }), step)
  const dial = answer?.dial ?? state.dial
  const popularity = Number(state.popularity ?? 0) || 0
  return (
    <details class="controls" open={wide}>
      <summary>Filters</summary>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <fieldset>
          <legend>Near by</legend>
          <div class="dial">
            {overview.dials.map((name) => (
              <label key={name}>
                <input
                  type="radio"
                  name="dial"
                  value={name}
                  checked={dial === name}
                  onChange={() => set({ dial: name })}
                />
                <span>{dialNames[name][0]}</span>
              </label>
            ))}
          </div>
          <p class="hint">
            {dial !== undefined && dial in dialNames ? dialNames[dial as keyof typeof dialNames][1] : ''}
          </p>
        </fieldset>
        <div class="field">
          <label for="popularity">Popularity</label>
          <input
            id="popularity"
            type="range"
            min="-95"
            max="95"
            step="5"
            value={popularity}
            aria-valuetext={describePopularity(popularity)}
            onInput={(event) => {
              const { value } = event.currentTarget
              set({ popularity: value === '0' ? undefined : value }, 'replace')
            }}
          />
          <div class="ends" aria-hidden="true">
            <span>hidden gems</span>
            <span>crowd favourites</span>
          </div>
          <p class="hint">{describePopularity(popularity)}</p>
        </div>
        <Choice name="genre" label="Genre" facets={overview.genres} value={state.genre} onChange={set} />
        <Choice name="style" label="Style" facets={overview.styles} value={state.style} onChange={set} />
        <Choice name="country" label="Country" facets={overview.countries} value={state.country} onChange={set} />
        {overview.years && (
          <fieldset class="field">
            <legend>Years</legend>
            <div class="years">
              <Year
                name="from"
                label="From year"
                placeholder={overview.years.first}
                value={state.from}
                onChange={set}
              />
              <span aria-hidden="true">to</span>
              <Year name="to" label="To year" placeholder={overview.years.last} value={state.to} onChange={set} />
            </div>
          </fieldset>
        )}
        {overview.artists && (
          <label class="check">
            <input
              type="checkbox"
              checked={state.artists === 'one'}
              onChange={(event) => set({ artists: event.currentTarget.checked ? 'one' : undefined })}
            />
            At most one per artist
          </label>
        )}
        <button
          type="button"
          class="quiet"
          onClick={() => onChange(({ seed, not, view }) => ({ seed, not, ...(view && { view }) }))}
        >
          Reset filters
        </button>
      </form>
    </details>
  )
}

function describePopularity(popularity: number): string {
  if (popularity === 0) return 'All items'
  return popularity < 0
    ? `The ${100 + popularity} % that fewest people have`
    : `The ${100 - popularity} % that most people have`
}

interface ChoiceProps {
  readonly name: 'genre' | 'style' | 'country'
  readonly label: string
  readonly facets: readonly Facet[]
  readonly value: string | undefined
  readonly onChange: (patch: Partial<State>) => void
}

function Choice({ name, label, facets, value, onChange }: ChoiceProps) {
  if (facets.length === 0) return null
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select
        id={name}
        value={value ?? ''}
        onChange={(event) => onChange({ [name]: event.currentTarget.value || undefined })}
      >
        <option value="">All</option>
        {facets.map(({ value, items }) => (
          <option key={value} value={value}>
            {value} ({items.toLocaleString('en')})
          </option>
        ))}
      </select>
    </div>
  )
}

interface YearProps {
  readonly name: 'from' | 'to'
  readonly label: string
  readonly placeholder: number
  readonly value: string | undefined
  readonly onChange: (patch: Partial<State>, step: 'replace') => void
}

/** Taken over when the field is left, or by Enter: half a year is no filter. */
function Year({ name, label, placeholder, value, onChange }: YearProps) {
  return (
    <input
      type="text"
      inputMode="numeric"
      aria-label={label}
      maxLength={6}
      placeholder={String(placeholder)}
      value={value ?? ''}
      onChange={(event) => onChange({ [name]: event.currentTarget.value.trim() || undefined }, 'replace')}
    />
  )
}
