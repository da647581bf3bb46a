import { type DefaultTreeAdapterTypes, parse } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node

/** A page by the parser of the HTML standard. @throws Error for markup that the standard calls an error */
export class Page {
  readonly elements: { name: string; attributes: Record<string, string>; text: string }[] = []
  /** Texts of all elements but scripts and styles. */
  readonly text: string

  constructor(source: string) {
    const errors: string[] = []
    const document = parse(source, {
      onParseError: ({ code, startLine }) => errors.push(`${code} in line ${startLine}`),
    })
    if (errors.length > 0) throw new Error(errors.join(', '))
    this.text = this.#visit(document)
  }

  all(name: string): Page['elements'] {
    return this.elements.filter((element) => element.name === name)
  }

  #visit(node: Node): string {
    if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value
    if (!('childNodes' in node)) return ''
    const element = { name: node.nodeName, attributes: {} as Record<string, string>, text: '' }
    if ('attrs' in node) for (const { name, value } of node.attrs) element.attributes[name] = value
    this.elements.push(element)
    element.text = node.childNodes.map((child) => this.#visit(child)).join('')
    return ['script', 'style'].includes(element.name) ? '' : ` ${element.text} `
  }
}
