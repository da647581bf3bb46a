import { useState } from 'preact/hooks'
import type { Sample } from '../answers.ts'

/** The same list from a program and from a shell. */
export function Code({ samples }: { readonly samples: readonly Sample[] }) {
  return (
    <details class="code">
      <summary>The same list by code</summary>
      {samples.map((sample) => (
        <Listing key={sample.title} {...sample} />
      ))}
    </details>
  )
}

function Listing({ title, text }: Sample) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <section aria-label={title}>
      <div class="bar">
        <h3>{title}</h3>
        <button type="button" class="quiet" aria-label={`Copy ${title}`} onClick={copy}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </section>
  )
}
