import type { Item } from '../answers.ts'
import { removeExample, type State } from './state.ts'

interface ExamplesProps {
  readonly seeds: readonly Item[]
  readonly negatives: readonly Item[]
  readonly onChange: (next: (state: State) => State) => void
}

/** What the list is near to and away from; each can be taken out. */
export function Examples({ seeds, negatives, onChange }: ExamplesProps) {
  if (seeds.length + negatives.length === 0) {
    return <p class="hint">Pick a title, here or in the list, to see what is near it. Pick more to blend them.</p>
  }
  return (
    <div class="examples">
      <Chips label="Near to" kind="seed" items={seeds} onChange={onChange} />
      <Chips label="Away from" kind="not" items={negatives} onChange={onChange} />
      <button
        type="button"
        class="quiet"
        onClick={() => onChange((state) => ({ ...state, seed: [], not: [], why: undefined }))}
      >
        Clear
      </button>
    </div>
  )
}

interface ChipsProps {
  readonly label: string
  readonly kind: 'seed' | 'not'
  readonly items: readonly Item[]
  readonly onChange: ExamplesProps['onChange']
}

function Chips({ label, kind, items, onChange }: ChipsProps) {
  if (items.length === 0) return null
  return (
    <section aria-label={label}>
      <h2 class="label">{label}</h2>
      <ul class={`chips ${kind}`}>
        {items.map((item) => (
          <li key={item.id}>
            <span>{item.name}</span>
            <button
              type="button"
              aria-label={`Remove ${item.name}`}
              onClick={() => onChange((state) => removeExample(state, item.id))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
