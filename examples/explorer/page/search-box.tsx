import type { RefObject } from 'preact'
import { useState } from 'preact/hooks'
import type { Item } from '../answers.ts'
import { useAnswer } from './answer.ts'
import { subtitleOf } from './subtitle.ts'

interface SearchBoxProps {
  readonly input: RefObject<HTMLInputElement | null>
  /** Whether a pick is added to others. */
  readonly blending: boolean
  readonly onPick: (id: string) => void
}

/** A combobox: arrows choose, Enter adds, Escape closes. */
export function SearchBox({ input, blending, onPick }: SearchBoxProps) {
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(0)
  const query = text.trim().slice(0, 200)
  const { value, loading } = useAnswer<{ items: Item[] }>(
    open && query !== '' ? `/api/search?${new URLSearchParams({ q: query })}` : undefined,
    60,
  )
  const found = open && query !== '' ? (value?.items ?? []) : []
  const pick = (item: Item | undefined) => {
    if (!item) return
    onPick(item.id)
    setText('')
    setOpen(false)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setActive((active + 1) % Math.max(1, found.length))
    else if (event.key === 'ArrowUp') setActive((active + found.length - 1) % Math.max(1, found.length))
    else if (event.key === 'Enter') pick(found[active])
    else if (event.key === 'Escape') setOpen(false)
    else return
    event.preventDefault()
  }
  return (
    <div class="search">
      <label for="search">{blending ? 'Add a title to the blend' : 'Search a title'}</label>
      <input
        id="search"
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder="Title or artist"
        maxLength={200}
        aria-expanded={found.length > 0}
        aria-controls="found"
        aria-autocomplete="list"
        aria-activedescendant={found[active] ? `found-${active}` : undefined}
        aria-keyshortcuts="/"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setActive(0)
          setOpen(true)
        }}
        onKeyDown={onKeyDown}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
      />
      <div id="found" role="listbox" aria-label="Titles found" hidden={found.length === 0}>
        {found.map((item, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the input, which keeps the focus
          <div
            key={item.id}
            id={`found-${n}`}
            role="option"
            tabIndex={-1}
            aria-selected={n === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(item)}
          >
            <span class="name">{item.name}</span>
            <span class="subtitle">{subtitleOf(item)}</span>
          </div>
        ))}
      </div>
      {open && query !== '' && !loading && value && found.length === 0 && (
        <p class="hint">Nothing has this in its title.</p>
      )}
    </div>
  )
}
