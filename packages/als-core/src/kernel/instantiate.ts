/**
 * Compiles the committed kernels. Relaxed SIMD (fused multiply-add) is used where the engine has it: a quarter faster.
 * One kernel gives the same bits on every machine; the two differ in the last place.
 */
export type KernelName = 'relaxed' | 'simd'

/** The two builds of one AssemblyScript entry, base64. */
export interface KernelBytes {
  readonly simd: string
  readonly relaxedSimd: string
}

/** Whether the engine runs relaxed SIMD. */
export function supportsRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe)
}

/**
 * WebAssembly's module and memory, for types that callers see. Their programs may be checked without TypeScript's `dom`
 * library, and then there is no namespace of that name.
 */
export type KernelModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object
export type KernelMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer Memory } } }
  ? Memory
  : { readonly buffer: ArrayBufferLike }

/** Compiles a kernel. @throws Error when `kernel` is 'relaxed' and the engine has no relaxed SIMD. */
export function compileKernel(bytes: KernelBytes, kernel?: KernelName): KernelModule {
  const relaxed = supportsRelaxedSimd()
  if (kernel === 'relaxed' && !relaxed) {
    throw new Error("kernel is 'relaxed', but this engine has no relaxed SIMD: leave the option out, or choose 'simd'.")
  }
  const chosen = kernel === 'simd' || !relaxed ? bytes.simd : bytes.relaxedSimd
  return new WebAssembly.Module(Buffer.from(chosen, 'base64'))
}

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const relaxedProbe = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b, 0x03,
  0x02, 0x01, 0x00, 0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b,
])
