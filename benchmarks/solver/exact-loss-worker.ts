/** Worker of exact-loss.ts. */
import type { EntriesTask, GramShare, GramTask } from './exact-loss.ts'

export default function work(task: EntriesTask | GramTask): GramShare | number {
  return task.step === 'gram' ? gram(task) : entries(task)
}

/** Σ c (1 - x·y)² over the entries of users [from, to), less (x·y)² for hkv. */
function entries({ from, to, matrix, objective, factors: k, users, items }: EntriesTask): number {
  const { csr, codebook } = matrix
  const less = objective === 'hkv' ? 1 : 0
  const x = new Float64Array(k)
  let loss = 0
  for (let user = from; user < to; user++) {
    for (let f = 0; f < k; f++) x[f] = users[user * k + f]
    for (let entry = csr.indptr[user]; entry < csr.indptr[user + 1]; entry++) {
      const c = codebook ? codebook[csr.values[entry]] : csr.values[entry]
      const y = csr.indices[entry] * k
      let even = 0
      let odd = 0
      let f = 0
      for (; f + 1 < k; f += 2) {
        even += x[f] * items[y + f]
        odd += x[f + 1] * items[y + f + 1]
      }
      const score = even + odd + (f < k ? x[f] * items[y + f] : 0)
      loss += c * (1 - score) ** 2 - less * score * score
    }
  }
  return loss
}

/** Upper triangle of Σ x xᵀ, four rows at a time so that an element of the sum is loaded and stored once for four. */
function gram({ from, to, factors: k, rows, regularization }: GramTask): GramShare {
  const sum = new Float64Array(k * k)
  const four = new Float64Array(4 * k)
  let penalty = 0
  for (let row = from; row < to; row += 4) {
    four.fill(0)
    four.set(rows.subarray(row * k, Math.min(to, row + 4) * k))
    for (let r = 0; r < 4 && row + r < to; r++) {
      let square = 0
      for (let f = 0; f < k; f++) square += four[r * k + f] ** 2
      penalty += regularization[row + r - from] * square
    }
    for (let i = 0; i < k; i++) {
      const a = four[i]
      const b = four[k + i]
      const c = four[2 * k + i]
      const d = four[3 * k + i]
      for (let j = i; j < k; j++) {
        sum[i * k + j] += a * four[j] + b * four[k + j] + c * four[2 * k + j] + d * four[3 * k + j]
      }
    }
  }
  return { gram: sum, penalty }
}
