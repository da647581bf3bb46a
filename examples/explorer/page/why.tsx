import type { Explanation } from '../answers.ts'
import { useAnswer } from './answer.ts'
import { formatScores } from './format-score.ts'
import { type State, toQuestion } from './state.ts'

/** What each example adds to the score of an item, and what the two have in common. */
export function Why({ id, state }: { readonly id: string; readonly state: State }) {
  const question = toQuestion(state)
  question.set('item', id)
  const { value, error } = useAnswer<Explanation>(`/api/explain?${question}`)
  if (error !== undefined) return <p class="why error">{error}</p>
  if (!value) return <p class="why hint">…</p>
  const most = Math.max(...value.shares.map(({ share }) => Math.abs(share))) || 1
  const [score, ...shares] = formatScores([value.score, ...value.shares.map(({ share }) => share)])
  return (
    <div class="why">
      <table>
        <caption>What each example adds to the score</caption>
        <tbody>
          {value.shares.map(({ item, share, negative }, n) => (
            <tr key={item.id}>
              <th scope="row">
                {item.name}
                {negative && <span class="subtitle"> (away from)</span>}
              </th>
              <td class="bar" aria-hidden="true">
                <span class={share < 0 ? 'against' : 'for'} style={{ width: `${(100 * Math.abs(share)) / most}%` }} />
              </td>
              <td class="number">{shares[n]}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Score</th>
            <td class="bar" />
            <td class="number">{score}</td>
          </tr>
        </tfoot>
      </table>
      {value.common.length > 0 && (
        <p class="hint">
          In common: {value.common.map(({ field, values }) => `${values.join(', ')} (${field})`).join('; ')}. The model
          has not seen these words: it knows only who has what.
        </p>
      )}
    </div>
  )
}
