"""JAX: jitted, channels last. Its networks are Keras's, each step one jitted call of their stateless functions."""

import os


def start(threads):
    if threads == 1:
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ["KERAS_BACKEND"] = "jax"


def version():
    import jax

    return "JAX " + jax.__version__


def convolution(shape, precision):
    import jax
    from peers import arrays, padding

    jax.config.update("jax_enable_x64", precision == "f64")
    kind = "float32" if precision == "f32" else "float64"
    x, weight, bias = (jax.numpy.asarray(a, kind) for a in arrays(shape))

    def run(x, weight, bias):
        y = jax.lax.conv_general_dilated(
            x,
            weight,
            (shape["stride"],),
            [padding(shape)],
            rhs_dilation=(shape["dilation"],),
            dimension_numbers=("NWC", "WIO", "NWC"),
        )
        return y + bias

    def run_and_back(gradient, *inputs):
        y, pull = jax.vjp(run, *inputs)
        return y, pull(gradient)  # y too: what is not asked for is not computed

    forward, both = jax.jit(run), jax.jit(run_and_back)
    gradient = jax.random.normal(jax.random.key(0), forward(x, weight, bias).shape, kind)
    return {
        "forward": lambda: jax.block_until_ready(forward(x, weight, bias)),
        "all": lambda: jax.block_until_ready(both(gradient, x, weight, bias)),
    }


def network(case):
    import jax
    from peers import batch, keras_networks
    import keras

    model = keras_networks.build(case)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, labels = (jax.numpy.asarray(a) for a in batch(case))

    def loss(trained, others):
        logits, others = model.stateless_call(trained, others, x, training=True)
        return entropy(labels, logits), others

    def update(trained, others, moments):
        (value, others), gradients = jax.value_and_grad(loss, has_aux=True)(trained, others)
        trained, moments = optimizer.stateless_apply(moments, gradients, trained)
        return value, (trained, others, moments)

    update = jax.jit(update, donate_argnums=(0, 1, 2))
    state = tuple(
        [v.value + 0 for v in vs] for vs in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    )
    fixed = [[v.value + 0 for v in vs] for vs in (model.trainable_variables, model.non_trainable_variables)]
    predict = jax.jit(lambda trained, others: model.stateless_call(trained, others, x, training=False)[0])

    def step():
        nonlocal state
        value, state = update(*state)
        jax.block_until_ready((value, state))

    return {"step": step, "infer": lambda: jax.block_until_ready(predict(*fixed)), "parameters": keras_networks.trained(model)}
