import { OptionError } from '../checks/option-error.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from './als-model.ts'

/** @throws OptionError for interactions that have other rows than the model */
export function checkFits(
  { users, items }: Pick<AlsModel, 'users' | 'items'>,
  interactions: InteractionMatrix | undefined,
): void {
  if (!interactions || (interactions.users === users && interactions.items === items)) return
  throw new OptionError(
    `The interactions are ${interactions.users} users × ${interactions.items} items, the model ${users} × ${items}: ` +
      'pass the matrix that the model was trained on, or one with the same rows.',
  )
}
