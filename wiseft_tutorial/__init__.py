"""Robust fine-tuning of zero-shot models: average the weights before and after.

A session, as the book's reader meets it::

    import wiseft_tutorial as wt

    bench = wt.load_benchmark("pocket")
    zeroshot = wt.zeroshot_classifier(wt.load_clip("pocket"), bench)
    finetuned = wt.finetune(zeroshot, bench, wt.default_recipe("pocket"))
    sweep = wt.alpha_sweep(zeroshot, finetuned, bench)
    model = wt.interpolate(zeroshot, finetuned, alpha=0.5)

``alpha = 0`` is the zero-shot model and ``alpha = 1`` the fine-tuned one; accuracies are fractions.
What is named here is public, and nothing else is.
"""

from wiseft_tutorial import paper, results
from wiseft_tutorial._version import __version__
from wiseft_tutorial.augment import random_resized_crop
from wiseft_tutorial.benchmarks import (
    Benchmark,
    Split,
    benchmark_from_folders,
    benchmark_names,
    load_benchmark,
    register_benchmark,
)
from wiseft_tutorial.comparison import hits, paired_gain
from wiseft_tutorial.contrastive import contrastive_loss
from wiseft_tutorial.device import Precision, resolve_device
from wiseft_tutorial.diversity import (
    Overrides,
    cka_complement,
    kappa_complement,
    kl_divergence,
    margin,
    overrides,
    prediction_diversity,
)
from wiseft_tutorial.errors import (
    AlphaError,
    CheckpointError,
    DataError,
    DownloadError,
    MissingFileError,
    UnknownNameError,
    WeightMismatchError,
    WiseFTError,
)
from wiseft_tutorial.evaluate import (
    ALPHAS,
    alpha_sweep,
    predict,
    summarise,
    tabulate,
)
from wiseft_tutorial.explorer import Explorer, explore
from wiseft_tutorial.export import export_clip
from wiseft_tutorial.finetune import finetune, lp_ft
from wiseft_tutorial.fisher import diagonal_fisher
from wiseft_tutorial.flyp import finetune_contrastively
from wiseft_tutorial.imagenet_words import (
    imagenet_classnames,
    imagenet_folders,
    imagenet_templates,
)
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.landscape import Plane, barrier, score_path
from wiseft_tutorial.linearize import TangentModel, linearize
from wiseft_tutorial.metrics import Accuracy, accuracy, macro_f1, score, worst_group
from wiseft_tutorial.models import Clip, ImageClassifier, load_clip
from wiseft_tutorial.outputs import ensemble_logits, ensemble_probabilities, random_choice
from wiseft_tutorial.places import cache_folder, data_folder
from wiseft_tutorial.plots import (
    ROLES,
    Role,
    plot_accuracies,
    plot_against_images,
    plot_alpha,
    plot_best_alpha,
    plot_classes,
    plot_gallery,
    plot_history,
    plot_lines,
    plot_measures,
    plot_models,
    plot_overrides,
    plot_plane,
    plot_probabilities,
    plot_reliability,
    plot_robustness,
    plot_similarity,
    plot_testbed,
    use_style,
)
from wiseft_tutorial.prompts import learn_prompt
from wiseft_tutorial.prose import glue, points
from wiseft_tutorial.recipe import Method, Optimiser, Recipe, default_recipe, learning_rate
from wiseft_tutorial.records import load_sweep, save_sweep
from wiseft_tutorial.reproduction import compare_with_published, published_sweep, verdicts
from wiseft_tutorial.robustness import (
    Baseline,
    clopper_pearson,
    effective_robustness,
    fit_baseline,
    from_logit,
    to_logit,
)
from wiseft_tutorial.subspace import finetune_line
from wiseft_tutorial.supervised import load_supervised, select_classes
from wiseft_tutorial.training import Watch
from wiseft_tutorial.trajectory import EMA, SWA, Snapshots
from wiseft_tutorial.weights import (
    Soup,
    State,
    TaskVector,
    check_compatible,
    fisher_merge,
    greedy_soup,
    interpolate,
    interpolate_,
    slerp,
    task_vector,
    ties_merge,
    uniform_soup,
    weight_step,
)
from wiseft_tutorial.zeroshot import (
    Template,
    build_zeroshot_head,
    zeroshot_classifier,
)

__all__ = [
    "ALPHAS",
    "EMA",
    "ROLES",
    "SWA",
    "Accuracy",
    "AlphaError",
    "Baseline",
    "Benchmark",
    "CheckpointError",
    "Clip",
    "DataError",
    "DownloadError",
    "Explorer",
    "ImageClassifier",
    "Method",
    "MissingFileError",
    "Optimiser",
    "Overrides",
    "Plane",
    "Precision",
    "Recipe",
    "Role",
    "Snapshots",
    "Soup",
    "Split",
    "State",
    "TangentModel",
    "TaskVector",
    "Template",
    "UnknownNameError",
    "Watch",
    "WeightMismatchError",
    "WiseFTError",
    "__version__",
    "accuracy",
    "alpha_sweep",
    "barrier",
    "benchmark_from_folders",
    "benchmark_names",
    "build_zeroshot_head",
    "cache_folder",
    "check_compatible",
    "cka_complement",
    "clopper_pearson",
    "compare_with_published",
    "contrastive_loss",
    "data_folder",
    "default_recipe",
    "diagonal_fisher",
    "effective_robustness",
    "encode_images",
    "ensemble_logits",
    "ensemble_probabilities",
    "evaluation_copy",
    "explore",
    "export_clip",
    "finetune",
    "finetune_contrastively",
    "finetune_line",
    "fisher_merge",
    "fit_baseline",
    "from_logit",
    "glue",
    "greedy_soup",
    "hits",
    "imagenet_classnames",
    "imagenet_folders",
    "imagenet_templates",
    "interpolate",
    "interpolate_",
    "kappa_complement",
    "kl_divergence",
    "learn_prompt",
    "learning_rate",
    "linearize",
    "load_benchmark",
    "load_clip",
    "load_supervised",
    "load_sweep",
    "lp_ft",
    "macro_f1",
    "margin",
    "overrides",
    "paired_gain",
    "paper",
    "plot_accuracies",
    "plot_against_images",
    "plot_alpha",
    "plot_best_alpha",
    "plot_classes",
    "plot_gallery",
    "plot_history",
    "plot_lines",
    "plot_measures",
    "plot_models",
    "plot_overrides",
    "plot_plane",
    "plot_probabilities",
    "plot_reliability",
    "plot_robustness",
    "plot_similarity",
    "plot_testbed",
    "points",
    "predict",
    "prediction_diversity",
    "published_sweep",
    "random_choice",
    "random_resized_crop",
    "register_benchmark",
    "resolve_device",
    "results",
    "save_sweep",
    "score",
    "score_path",
    "select_classes",
    "slerp",
    "summarise",
    "tabulate",
    "task_vector",
    "ties_merge",
    "to_logit",
    "uniform_soup",
    "use_style",
    "verdicts",
    "weight_step",
    "worst_group",
    "zeroshot_classifier",
]
