/** What was published on exactly these splits: all items ranked, averaged over the test users. */
import type { DataSet } from './data-sets.ts'

export interface PublishedResult {
  model: string
  recall20: number
  ndcg20: number
}

/** Sources: BARS (openbenchmark), the LightGCN-PyTorch and UltraGCN repositories. */
export const published: Record<DataSet, PublishedResult[]> = {
  gowalla: [
    { model: 'item kNN (BARS)', recall20: 0.157, ndcg20: 0.1214 },
    { model: 'BPR matrix factorisation, d=64', recall20: 0.1627, ndcg20: 0.1378 },
    { model: 'SLIM', recall20: 0.1699, ndcg20: 0.1382 },
    { model: 'EASE^R', recall20: 0.1765, ndcg20: 0.1467 },
    { model: 'LightGCN', recall20: 0.182, ndcg20: 0.1547 },
    { model: 'UltraGCN', recall20: 0.1862, ndcg20: 0.158 },
  ],
  'amazon-cds': [
    { model: 'BPR matrix factorisation', recall20: 0.1312, ndcg20: 0.0811 },
    { model: 'LightGCN', recall20: 0.1542, ndcg20: 0.0971 },
    { model: 'UltraGCN', recall20: 0.1622, ndcg20: 0.1043 },
  ],
}
