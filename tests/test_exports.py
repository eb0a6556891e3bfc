"""The public names; a change here is a change for users."""

from importlib import import_module

import pytest

PUBLIC = {
    "backbones": [
        "Backbone",
        "IResNet",
        "MobileFaceNet",
        "TimmBackbone",
        "fuse_prelu",
        "load_weights",
    ],
    "callbacks": ["BatchPreview", "EmbeddingWriter", "MarginStatistics", "ProtocolEvaluation"],
    "datamodules": ["Batch", "FaceDataModule"],
    "datasets": [
        "EmbeddedFaces",
        "FaceDataset",
        "ImageFolder",
        "ImageSource",
        "LFWPeople",
        "ParquetFaces",
        "RecordIO",
        "VerificationPairs",
    ],
    "demo": ["Album", "Comparer", "DemoServer", "Floor"],
    "embedders": [
        "CachedEmbedder",
        "CallableEmbedder",
        "CheckpointEmbedder",
        "Embedder",
        "MeanColour",
        "ModuleEmbedder",
        "OnnxEmbedder",
        "RawPixels",
        "WeightsEmbedder",
        "evaluate",
        "export_onnx",
        "extract",
    ],
    "heads": [
        "AdaFace",
        "AnnealedSphereFace",
        "ArcFace",
        "BoundedLaplacianArcFace",
        "CosFace",
        "CosineClassifier",
        "LaplacianArcFace",
        "MagFace",
        "Margin",
        "MarginHead",
        "PartialFC",
        "ResolutionArcFace",
        "SphereFace",
    ],
    "metrics": [
        "AreaUnderROC",
        "EqualErrorRate",
        "MeanAveragePrecision",
        "RankK",
        "TarAtFar",
        "TpirAtFpir",
        "VerificationAccuracy",
        "VerificationROC",
    ],
    "protocols": [
        "BinVerification",
        "EmbeddedIdentification",
        "EmbeddedVerification",
        "IJBIdentification",
        "IJBVerification",
        "IdentificationProtocol",
        "LFWHeldOut",
        "LFWIdentification",
        "LFWVerification",
        "Protocol",
        "ProtocolResult",
        "SCfaceIdentification",
        "SurvFaceIdentification",
        "SurvFaceVerification",
        "TinyFaceIdentification",
        "VerificationProtocol",
        "read_results",
        "write_results",
    ],
    "recognition": [
        "Gallery",
        "Recogniser",
        "Thresholds",
        "calibrate",
        "enrol",
        "open_model",
    ],
    "tasks": [
        "DeriveNetTask",
        "DistillationTask",
        "OctupletTask",
        "RecognitionTask",
        "SiameseTask",
        "WarmupCosine",
    ],
    "transforms": ["CrossResolution", "Kernel", "Listed", "LogUniform", "PixelSpec", "Uniform"],
}


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_exported_names(package: str) -> None:
    module = import_module(f"lrfr_lightning.{package}")
    assert sorted(module.__all__) == sorted(PUBLIC[package])
    assert all(hasattr(module, name) for name in module.__all__)
