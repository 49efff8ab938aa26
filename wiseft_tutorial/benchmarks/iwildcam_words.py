"""The animals of iWildCam, in English.

The data set has their scientific names. Here are common ones, by its numbers; an animal that it has
under two numbers, such as the lowland paca, has two names here as well.
"""

from __future__ import annotations

__all__ = ["IWILDCAM_NAMES"]

IWILDCAM_NAMES = tuple(
    """
empty|white-lipped peccary|Central American agouti|lowland paca|cougar|South American tapir
collared peccary|red brocket|ocelot|ruddy quail-dove|South American coati|nine-banded armadillo
tayra|common opossum|crab-eating raccoon|jaguar|giant anteater|great tinamou|tapeti|jaguarundi
margay|brown brocket|gray four-eyed opossum|wild goat|cow|sheep|wolf|scrub hare|olive baboon
common genet|Cape bushbuck|slender mongoose|African bush elephant|Gambian pouched rat|steenbok
striped hyena|impala|spotted hyena|caracal|wild horse|lion|common eland|waterbuck|common warthog
leopard|white-tailed mongoose|black-backed jackal|African buffalo|plains zebra|giraffe|hartebeest
vervet monkey|Günther's dik-dik|bushpig|Grant's gazelle|Thomson's gazelle|common ostrich|aardvark
cheetah|white-bellied bustard|wildcat|East African oryx|buff-crested bustard|kori bustard
black-bellied bustard|great argus|leopard cat|banded palm civet|Indian muntjac|wild boar|sun bear
sambar deer|Malayan porcupine|Asian golden cat|tiger|three-striped ground squirrel
common emerald dove|Cape genet|crested porcupine|African wild dog|rock hyrax|dog|unknown bird
unknown bat|Amazonian motmot|black agouti|quail-dove|white-nosed coati|northern tamandua|opossum
crested guan|hummingbird|plain parakeet|dromedary|bat-eared fox|vulturine guineafowl|Grévy's zebra
aardwolf|serval|greater kudu|hippopotamus|spotted thick-knee|masked palm civet|marbled cat|dhole
Asian water monitor|yellow-throated marten|banded linsang|crested partridge|Salvadori's pheasant
bronze-tailed peacock-pheasant|Sunda pangolin|Sumatran serow|macaque|handsome spurfowl
L'Hoest's monkey|black-fronted duiker|African brush-tailed porcupine|chimpanzee|blue monkey
mountain squirrel|western yellow wagtail|yellow-whiskered greenbul|little greenbul
charming thicket rat|forest giant squirrel|Boehm's bush squirrel|yellow-backed duiker
common rufous-nosed rat|moustached grass warbler|Peters's striped mouse|African wading rat
Stella wood mouse|servaline genet|side-striped jackal|African pygmy mouse|Ross's turaco
tambourine dove|Tullberg's soft-furred mouse|big-eared swamp rat|Egyptian goose|link rat
grey-winged francolin|olive thrush|brocket deer|gray fox|ocellated turkey|great curassow
spotted paca|Baird's tapir|raccoon|white-tailed deer|grey-headed dove|Central American red brocket
striped hog-nosed skunk|Yucatan brown brocket|plain chachalaca|Thomas's langur
Sunda clouded leopard|Sumatran hog badger|mouse-deer|Sumatran treepie|rufous-vented niltava
silver-eared mesia|red-billed partridge|gallopheasant|Javan whistling thrush|crestless fireback
crested serpent eagle|blue whistling thrush|collared mongoose|crab-eating fox|motorcycle
deer mouse|jaguarundi cat|bare-throated tiger heron|blue ground dove|squirrel|bird
grey-cowled wood rail|unknown dove|temama brocket
""".strip()
    .replace("\n", "|")
    .split("|")
)
"""Of each of the 182 classes, by its number."""
