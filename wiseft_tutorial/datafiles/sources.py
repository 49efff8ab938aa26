"""Where data sets come from, how large they are, and in which folder they belong.

Digests and sizes of archives are those that TensorFlow Datasets and Keras pin, and for CIFAR-10.2
those of the file at the commit in its address. A data set without archives has terms that a person
must accept, or nobody has published its digest; then the page says how to get it.

Explained in: the page on data sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wiseft_tutorial.datafiles.downloading import Archive, fetch, unpack
from wiseft_tutorial.errors import DataError, DownloadError, MissingFileError, unknown
from wiseft_tutorial.places import data_folder

__all__ = ["SOURCES", "Source", "download", "require"]


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        name: As ``wiseft download`` takes it.
        title: What people call it.
        folder: Where its files belong, in the data folder.
        size: Of the download, for people.
        page: Where it is described, and where to ask for it.
        archives: What to fetch; none means that a person has to.
        by_hand: What that person has to do.
        loose: The archives are files to keep as they are, in ``folder``.
    """

    name: str
    title: str
    folder: str
    size: str
    page: str
    archives: tuple[Archive, ...] = ()
    by_hand: str = ""
    loose: bool = False


_TORONTO = "https://www.cs.toronto.edu/~kriz"
_CIFAR_10_1 = "https://github.com/modestyachts/CIFAR-10.1"
_CIFAR_10_2 = "https://github.com/modestyachts/cifar-10.2"
_CIFAR_10_2_COMMIT = "521467a52ad494b78ff9c70051099c0d9ba74d40"
_HENDRYCKS = "https://people.eecs.berkeley.edu/~hendrycks"
_ACROSS_TIME = "https://arxiv.org/abs/1906.02168"
_WILDS = "https://wilds.stanford.edu/datasets"
_WITH_WILDS = (
    "`pip install 'wiseft-tutorial[wilds]'`, and "
    "`python -m wilds.download_datasets --root_dir . --datasets {}`"
)

SOURCES = {
    source.name: source
    for source in (
        Source(
            "cifar10",
            "CIFAR-10",
            "cifar-10-batches-py",
            "170 MB",
            f"{_TORONTO}/cifar.html",
            (
                Archive(
                    f"{_TORONTO}/cifar-10-python.tar.gz",
                    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                    170_498_071,
                ),
            ),
        ),
        Source(
            "cifar10.1",
            "CIFAR-10.1, version 6",
            "CIFAR-10.1",
            "6 MB",
            _CIFAR_10_1,
            (
                Archive(
                    f"{_CIFAR_10_1}/raw/master/datasets/cifar10.1_v6_data.npy",
                    "2997188e5816f5bd545dc77771b6227828c28146049fcecf3fa10775474cacc6",
                    6_144_128,
                ),
                Archive(
                    f"{_CIFAR_10_1}/raw/master/datasets/cifar10.1_v6_labels.npy",
                    "ae40beda001693674edc94d925ee8268cfe68905f8f9aff800c8dcdfcd6c9448",
                    8_128,
                ),
            ),
            loose=True,
        ),
        Source(
            "cifar10.2",
            "CIFAR-10.2",
            "CIFAR-10.2",
            "6 MB",
            _CIFAR_10_2,
            (
                Archive(
                    f"{_CIFAR_10_2}/raw/{_CIFAR_10_2_COMMIT}/cifar102_test.npz",
                    "e4fd6462bd5141ed293acd52ea570952f65d1bfd4ec9b068f87742f75a7a632e",
                    6_393_664,
                ),
            ),
            loose=True,
        ),
        Source(
            "cifar100",
            "CIFAR-100",
            "cifar-100-python",
            "169 MB",
            f"{_TORONTO}/cifar.html",
            (
                Archive(
                    f"{_TORONTO}/cifar-100-python.tar.gz",
                    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                    169_001_437,
                ),
            ),
        ),
        Source(
            "imagenet",
            "ImageNet (ILSVRC 2012)",
            "imagenet",
            "148 GB",
            "https://image-net.org/download.php",
            by_hand="register there, accept the terms, and unpack it so that imagenet/train and "
            "imagenet/val each have 1,000 folders such as n01440764",
        ),
        Source(
            "imagenet-v2",
            "ImageNet-V2, matched frequency",
            "imagenetv2-matched-frequency-format-val",
            "1.3 GB",
            "https://github.com/modestyachts/ImageNetV2",
            (
                Archive(
                    "https://s3-us-west-2.amazonaws.com/imagenetv2public/"
                    "imagenetv2-matched-frequency.tar.gz",
                    "a32004f9e773279307499059d320336a23ccdc62cb32063da29bae9bd04c122c",
                    1_253_959_680,
                ),
            ),
        ),
        Source(
            "imagenet-r",
            "ImageNet-R",
            "imagenet-r",
            "2.2 GB",
            "https://github.com/hendrycks/imagenet-r",
            (
                Archive(
                    f"{_HENDRYCKS}/imagenet-r.tar",
                    "18c6bf493b39a0d975d48e587437f562caab9c52ae6327dcfa9dd8eb54aa1b52",
                    2_191_079_936,
                ),
            ),
        ),
        Source(
            "imagenet-a",
            "ImageNet-A",
            "imagenet-a",
            "688 MB",
            "https://github.com/hendrycks/natural-adv-examples",
            (
                Archive(
                    f"{_HENDRYCKS}/imagenet-a.tar",
                    "3bb3632277e6ba6392ea64c02ddbf4dd2266c9caffd6bc09c9656d28f012589e",
                    687_552_512,
                ),
            ),
        ),
        Source(
            "imagenet-sketch",
            "ImageNet-Sketch",
            "sketch",
            "7.8 GB",
            "https://github.com/HaohanWang/ImageNet-Sketch",
            by_hand="follow the link to the archive on that page and unpack it, so that sketch has "
            "1,000 folders such as n01440764",
        ),
        Source(
            "objectnet",
            "ObjectNet",
            "objectnet-1.0",
            "192 GB",
            "https://objectnet.dev/download.html",
            by_hand="accept the terms, which forbid training on it, and unpack the archive with "
            "the password given there, so that objectnet-1.0 has the folders images and mappings",
        ),
        Source(
            "imagenet-vid-robust",
            "ImageNet-Vid-Robust",
            "imagenet-vid-robust",
            "several GB, with YTBB-Robust",
            _ACROSS_TIME,
            by_hand="fetch the archive of both data sets and move imagenet-vid-robust, with its "
            "folders val, metadata and misc, here",
        ),
        Source(
            "ytbb-robust",
            "YTBB-Robust",
            "ytbb-robust",
            "several GB, with ImageNet-Vid-Robust",
            _ACROSS_TIME,
            by_hand="fetch the archive of both data sets and move ytbb-robust here",
        ),
        Source(
            "wilds-fmow",
            "FMoW-WILDS",
            "fmow_v1.1",
            "54 GB",
            _WILDS,
            by_hand=_WITH_WILDS.format("fmow"),
        ),
        Source(
            "wilds-iwildcam",
            "iWildCam-WILDS",
            "iwildcam_v2.0",
            "12 GB",
            _WILDS,
            by_hand=_WITH_WILDS.format("iwildcam"),
        ),
        Source(
            "cars",
            "Stanford Cars",
            "stanford_cars",
            "2 GB",
            "https://pytorch.org/vision/stable/generated/torchvision.datasets.StanfordCars.html",
            by_hand="its server is gone; from a copy, put devkit, cars_train, cars_test and "
            "cars_test_annos_withlabels.mat into the folder stanford_cars",
        ),
        Source(
            "dtd",
            "Describable Textures",
            "dtd",
            "625 MB",
            "https://www.robots.ox.ac.uk/~vgg/data/dtd/",
            (
                Archive(
                    "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
                    "e42855a52a4950a3b59612834602aa253914755c95b0cff9ead6d07395f8e205",
                    625_239_812,
                    into="dtd",  # torchvision looks for it there
                ),
            ),
        ),
        Source(
            "sun397",
            "SUN397",
            "SUN397",
            "39 GB",
            "https://vision.princeton.edu/projects/2010/SUN/",
            (
                Archive(
                    "https://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
                    "f404130965a7ad77bed5ececc71e720ab50f3cc1e1bb257257610d38f3b928ec",
                    39_077_296_924,
                ),
                Archive(
                    "https://vision.princeton.edu/projects/2010/SUN/download/Partitions.zip",
                    "e3311ea5f812d4cc6faef194688343d1111f6cd6f70f2c62f393c2b8d6ba1ec9",
                    18_293_705,
                    into="SUN397",
                ),
            ),
        ),
        Source(
            "food101",
            "Food-101",
            "food-101",
            "5 GB",
            "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
            (
                Archive(
                    "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                    "d97d15e438b7f4498f96086a4f7e2fa42a32f2712e87d3295441b2b6314053a4",
                    4_996_278_331,
                ),
            ),
        ),
    )
}
"""All data sets that the package can read and does not make itself, by name."""


def download(name: str, *, folder: Path | None = None, progress: bool = True) -> Path:
    """Fetch a data set and unpack it.

    Args:
        name: Of :data:`SOURCES`.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        progress: Show a progress bar.

    Returns:
        The folder that the data set is in.

    Raises:
        UnknownNameError: There is no such data set; names the nearest.
        DownloadError: It cannot be fetched, or not by a program; says what to do.

    Explained in: chapter 15.
    """
    if name not in SOURCES:
        raise unknown("data set", name, SOURCES)
    source, root = SOURCES[name], folder or data_folder()
    if not source.archives:
        raise DownloadError(
            f"{source.title} ({source.size}) cannot be fetched by a program. {_how(source, root)}"
        )
    for archive in source.archives:
        if source.loose:
            fetch(archive, root / source.folder, progress=progress)
        else:
            packed = fetch(archive, root / "downloads", progress=progress)
            unpack(packed, root / archive.into)
    return root / source.folder


def require(name: str, parts: Iterable[str] = (), *, folder: Path | None = None) -> Path:
    """The folder of a data set, if it is there.

    Args:
        name: Of :data:`SOURCES`.
        parts: What has to be in it.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.

    Returns:
        The folder.

    Raises:
        MissingFileError: It is not there; says where to get it and how large it is.
        DataError: It is there, and something is missing in it.
    """
    source, root = SOURCES[name], folder or data_folder()
    place = root / source.folder
    if not place.is_dir():
        raise MissingFileError(
            f"{source.title} is not in {str(place)!r}. {_how(source, root)} If you have it "
            "elsewhere, set WISEFT_DATA to the folder that its folder is in."
        )
    if missing := [part for part in parts if not (place / part).exists()]:
        raise DataError(
            f"{str(place)!r} is not {source.title}, or not all of it: it has no "
            f"{', '.join(missing)}. {_how(source, root)}"
        )
    return place


def _how(source: Source, root: Path) -> str:
    if source.archives:
        return f"`wiseft download {source.name}` fetches it ({source.size})."
    return f"To get it ({source.size}): see {source.page}; {source.by_hand}, in {str(root)!r}."
