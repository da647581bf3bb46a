import { useEffect, useRef } from 'preact/hooks'
import type { MapPoints, Neighbours, Overview } from '../answers.ts'
import { useAddress } from './address.ts'
import { useAnswer } from './answer.ts'
import { Code } from './code.tsx'
import { Examples } from './examples.tsx'
import { Filters } from './filters.tsx'
import { CatalogueMap } from './map.tsx'
import { Results } from './results.tsx'
import { SearchBox } from './search-box.tsx'
import { addExample, startFrom, toQuestion } from './state.ts'

export function App() {
  const [state, change] = useAddress()
  const overview = useAnswer<Overview>('/api/overview')
  const neighbours = useAnswer<Neighbours>(`/api/neighbours?${toQuestion(state)}`, 60)
  const map = useAnswer<MapPoints>(state.view === 'map' ? '/api/map' : undefined)
  const search = useRef<HTMLInputElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const focusSearch = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement)
        return
      event.preventDefault()
      search.current?.focus()
    }
    addEventListener('keydown', focusSearch)
    return () => removeEventListener('keydown', focusSearch)
  }, [])
  const { value: answer } = neighbours
  const error = neighbours.error ?? overview.error ?? map.error
  return (
    <>
      <header>
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" /> Seesaw explorer
        </h1>
        {overview.value && (
          <p class="source">
            {overview.value.items.toLocaleString('en')} items, answered by {overview.value.source}
          </p>
        )}
      </header>
      <div class="columns">
        <aside aria-label="What to look for">
          <SearchBox
            input={search}
            blending={state.seed.length > 0}
            onPick={(id) => change((now) => addExample(now, 'seed', id))}
          />
          <Examples
            seeds={answer?.seeds ?? []}
            negatives={answer?.negatives ?? []}
            onChange={(next) => {
              change(next)
              search.current?.focus()
            }}
          />
          {overview.value && <Filters overview={overview.value} state={state} answer={answer} onChange={change} />}
        </aside>
        <main aria-busy={neighbours.loading}>
          <div class="bar">
            <h2 ref={heading} tabIndex={-1}>
              {titleOf(answer)}
            </h2>
            <fieldset class="segments" aria-label="View">
              <button
                type="button"
                aria-pressed={!state.view}
                onClick={() => change((now) => ({ ...now, view: undefined }))}
              >
                List
              </button>
              <button
                type="button"
                aria-pressed={state.view === 'map'}
                onClick={() => change((now) => ({ ...now, view: 'map' }))}
              >
                Map
              </button>
            </fieldset>
          </div>
          <p class="status" role="status">
            {error === undefined && answer ? describe(answer) : ''}
          </p>
          {error !== undefined && (
            <div class="error" role="alert">
              <p>{error}</p>
              <button type="button" onClick={() => change({ seed: [], not: [] })}>
                Start again
              </button>
            </div>
          )}
          {state.view === 'map' && map.value && (
            <CatalogueMap
              points={map.value}
              seeds={state.seed}
              negatives={state.not}
              listed={answer?.items ?? []}
              genre={state.genre}
              onPick={(id) => change((now) => startFrom(now, id))}
              onGenre={(genre) => change((now) => ({ ...now, genre }))}
            />
          )}
          {answer && error === undefined && (
            <>
              <Results
                answer={answer}
                state={state}
                onChange={(next) => {
                  change(next)
                  heading.current?.focus()
                }}
                onWhy={(why) => change((now) => ({ ...now, why }), 'replace')}
              />
              <Code samples={answer.samples} />
            </>
          )}
        </main>
      </div>
    </>
  )
}

function titleOf(answer: Neighbours | undefined): string {
  if (!answer) return 'Neighbours'
  const { seeds, negatives } = answer
  if (seeds.length === 0) return 'Best known'
  const near = seeds.length === 1 ? `Near ${seeds[0]!.name}` : `Near a blend of ${seeds.length}`
  return negatives.length === 0 ? near : `${near}, away from ${negatives.length}`
}

function describe({ items, milliseconds, interactions: { min, max } }: Neighbours): string {
  const count = items.length === 1 ? '1 item' : `${items.length} items`
  const bounds =
    max !== undefined
      ? `, at most ${max.toLocaleString('en')} interactions`
      : min !== undefined
        ? `, at least ${min.toLocaleString('en')} interactions`
        : ''
  return `${count}${bounds}, found in ${milliseconds.toFixed(1)} ms`
}
