"""irspack's trainer by the options of our benchmarks, the rest as irspack's recommender sets it."""

from irspack.recommenders.ials import IALSTrainer, str_to_loss_type, str_to_solver_type


def make_trainer(interactions, options, loss, **features):
    return IALSTrainer(
        interactions,
        n_components=options["factors"],
        alpha0=options["unobservedWeight"],
        reg=options["regularization"],
        nu=options["nu"],
        init_std=0.1,
        solver_type=str_to_solver_type(options.get("solver", "cg")),
        max_cg_steps=3,
        ialspp_subspace_dimension=64,
        loss_type=str_to_loss_type(loss),
        random_seed=options["seed"],
        n_threads=options["threads"],
        prediction_time_max_cg_steps=5,
        prediction_time_ialspp_iteration=7,
        **features,
    )
