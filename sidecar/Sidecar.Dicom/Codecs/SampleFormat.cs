using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>How decoded samples lie in memory, and what colours they are.</summary>
/// <param name="Shape">Its units are made of samples.</param>
/// <param name="PhotometricInterpretation">A term of PS3.3 C.7.6.3.1.2. What codestreams say of themselves goes before the data set.</param>
public readonly record struct SampleFormat(FrameShape Shape, string PhotometricInterpretation);
