/** What the address says. Values are as they came: the server checks them, and says what is wrong. */
export interface State {
  readonly seed: readonly string[]
  readonly not: readonly string[]
  readonly dial?: string
  readonly genre?: string
  readonly style?: string
  readonly country?: string
  readonly from?: string
  readonly to?: string
  /** From -95, hidden gems, to 95, crowd favourites. */
  readonly popularity?: string
  readonly artists?: string
  readonly view?: 'map'
  /** The item whose score is explained. */
  readonly why?: string
}

const single = ['dial', 'genre', 'style', 'country', 'from', 'to', 'popularity', 'artists'] as const

/** The state of an address. Other parameters, such as those that mailing lists add, are passed over. */
export function parseState(search: string): State {
  const parameters = new URLSearchParams(search)
  const values = single.map((name) => [name, parameters.get(name) || undefined])
  return {
    seed: [...new Set(parameters.getAll('seed'))],
    not: [...new Set(parameters.getAll('not'))],
    ...Object.fromEntries(values.filter(([, value]) => value !== undefined)),
    ...(parameters.get('view') === 'map' && { view: 'map' as const }),
    ...(parameters.get('why') && { why: parameters.get('why')! }),
  }
}

/** The parameters of `/api/neighbours`. */
export function toQuestion(state: State): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const id of state.seed) parameters.append('seed', id)
  for (const id of state.not) parameters.append('not', id)
  for (const name of single) {
    const value = state[name]
    if (value !== undefined && value !== '') parameters.set(name, value)
  }
  return parameters
}

/** The address of a state. */
export function toAddress(state: State): string {
  const parameters = toQuestion(state)
  if (state.view) parameters.set('view', state.view)
  if (state.why !== undefined) parameters.set('why', state.why)
  const text = parameters.toString()
  return text === '' ? '/' : `/?${text}`
}

/** Starts anew from one item, with the filters as they are. */
export function startFrom(state: State, id: string): State {
  return { ...state, seed: [id], not: [], why: undefined }
}

/** One more example, on one side only. */
export function addExample(state: State, side: 'seed' | 'not', id: string): State {
  const other = side === 'seed' ? 'not' : 'seed'
  return {
    ...state,
    [side]: [...state[side].filter((each) => each !== id), id],
    [other]: state[other].filter((each) => each !== id),
    why: undefined,
  }
}

export function removeExample(state: State, id: string): State {
  const without = (list: readonly string[]) => list.filter((each) => each !== id)
  return { ...state, seed: without(state.seed), not: without(state.not), why: undefined }
}
