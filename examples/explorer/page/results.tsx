import type { Neighbours, ScoredItem } from '../answers.ts'
import { formatScores } from './format-score.ts'
import { addExample, type State, startFrom } from './state.ts'
import { subtitleOf } from './subtitle.ts'
import { Why } from './why.tsx'

interface ResultsProps {
  readonly answer: Neighbours
  readonly state: State
  readonly onChange: (next: (state: State) => State) => void
  readonly onWhy: (id: string | undefined) => void
}

export function Results({ answer, state, onChange, onWhy }: ResultsProps) {
  if (answer.items.length === 0) return <p class="empty">Nothing passes all of these filters. Widen one of them.</p>
  const scores = formatScores(answer.items.map(({ score }) => score ?? 0))
  return (
    <ol class="results">
      {answer.items.map((item, n) => (
        <Result
          key={item.id}
          item={item}
          rank={n + 1}
          score={scores[n]!}
          state={state}
          blending={answer.seeds.length > 0}
          onChange={onChange}
          onWhy={onWhy}
        />
      ))}
    </ol>
  )
}

interface ResultProps extends Omit<ResultsProps, 'answer'> {
  readonly item: ScoredItem
  readonly rank: number
  readonly score: string
  readonly blending: boolean
}

function Result({ item, rank, score, state, blending, onChange, onWhy }: ResultProps) {
  const explained = state.why === item.id
  const words = item.styles.length > 0 ? item.styles : item.genres
  return (
    <li>
      <span class="rank" aria-hidden="true">
        {rank}
      </span>
      <div class="what">
        <button type="button" class="title" onClick={() => onChange((now) => startFrom(now, item.id))}>
          {item.name}
        </button>
        <p class="subtitle">{subtitleOf(item)}</p>
        <p class="words">
          {item.genres.join(', ')}
          {item.styles.length > 0 && item.genres.length > 0 ? ' — ' : ''}
          {words === item.styles ? words.join(', ') : ''}
        </p>
      </div>
      <div class="figures">
        {item.score !== null && (
          <p class="score">
            <span class="sr">Score </span>
            {score}
          </p>
        )}
        <p class="count" title={`More than ${Math.round(100 * item.popularity)} % of the catalogue`}>
          <meter min={0} max={1} value={item.popularity} aria-label="Popularity" />
          <span class="number">{item.interactions.toLocaleString('en')}</span>
          <span class="sr"> interactions</span>
        </p>
      </div>
      <div class="actions">
        <button
          type="button"
          aria-label={`More like ${item.name}`}
          onClick={() => onChange((now) => addExample(now, 'seed', item.id))}
        >
          + More
        </button>
        {blending && (
          <>
            <button
              type="button"
              aria-label={`Less like ${item.name}`}
              onClick={() => onChange((now) => addExample(now, 'not', item.id))}
            >
              − Less
            </button>
            <button
              type="button"
              aria-expanded={explained}
              aria-label={`Why ${item.name}?`}
              onClick={() => onWhy(explained ? undefined : item.id)}
            >
              Why?
            </button>
          </>
        )}
      </div>
      {explained && blending && <Why id={item.id} state={state} />}
    </li>
  )
}
