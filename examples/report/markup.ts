import { html as hono, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** HTML in which every text that was put in is escaped. */
export type Html = HtmlEscapedString

type Part = Html | string | number | undefined | false | readonly Part[]

/** A piece of a page: what stands in the template is markup, what is put into it is text unless it is such a piece itself. */
export function html(template: TemplateStringsArray, ...parts: Part[]): Html {
  // It is a promise only where a part is one.
  return hono(template, ...parts.map((part) => (part === false ? '' : part))) as Html
}

/** Markup that another library has made and escaped. */
export function trusted(markup: string): Html {
  return raw(markup) as Html
}

/** JSON for a script element: nothing in it can end the element. */
export function embedJson(value: unknown): Html {
  return trusted(
    JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'),
  )
}
