import { Converter } from 'typedoc'

/** Pages are called by their first heading: five of them are README.md. */
export function load(application) {
  application.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const [, title] = /^# (.+)$/m.exec(document.content.map(({ text }) => text).join('')) ?? []
    if (title) document.name = title
  })
}
