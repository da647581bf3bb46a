import { useCallback, useEffect, useState } from 'preact/hooks'
import { parseState, type State, toAddress } from './state.ts'

/** Changes the state, and the address with it: a step that Back undoes, or in place of the last one. */
export type Change = (next: State | ((state: State) => State), step?: 'push' | 'replace') => void

/** The state in the address, and how to change it. */
export function useAddress(): [State, Change] {
  const [state, setState] = useState(() => parseState(location.search))
  useEffect(() => {
    const read = () => setState(parseState(location.search))
    addEventListener('popstate', read)
    return () => removeEventListener('popstate', read)
  }, [])
  const change = useCallback<Change>((next, step = 'push') => {
    const now = parseState(location.search)
    const address = toAddress(typeof next === 'function' ? next(now) : next)
    history[step === 'push' ? 'pushState' : 'replaceState'](null, '', address)
    setState(parseState(location.search))
  }, [])
  return [state, change]
}
