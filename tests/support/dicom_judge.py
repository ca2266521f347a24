#!/usr/bin/python3
"""dicom_judge.py FOLDER: what pydicom and numpy say of the CT series below a folder, one line a series.

    series_uid columns rows slices column_mm row_mm slice_mm x y z tilt_deg mean_hu min_hu max_hu

Independent of the project's reader: geometry by projecting positions on the slice normal, HU by each slice's own rescale with
padding left out. `slice_mm` is nan where distances differ by more than 1 %. Only plain series: images without geometry, localizers
and repeated positions are left out; statistics are nan where pydicom cannot decode.
"""
import sys
from pathlib import Path

import numpy
import pydicom


def images(folder):
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        try:
            data = pydicom.dcmread(path)
        except Exception:  # not DICOM, or broken: nothing to judge
            continue
        if data.get("Modality") != "CT" or "PixelData" not in data or not data.get("ImagePositionPatient") or "LOCALIZER" in data.get("ImageType", []):
            continue
        if len(data.PixelData) < data.Rows * data.Columns * data.BitsAllocated // 8 and not data.file_meta.TransferSyntaxUID.is_compressed:
            continue
        yield data


def normal_of(data):
    o = numpy.array(data.ImageOrientationPatient, float)
    n = numpy.cross(o[:3], o[3:])
    return n / numpy.linalg.norm(n)


def hu_of(data):
    values = data.pixel_array.astype(float)
    keep = numpy.ones(values.shape, bool)
    pad = data.get("PixelPaddingValue")
    if pad is not None:
        if data.PixelRepresentation == 1 and pad > 32767:
            pad -= 65536
        limit = data.get("PixelPaddingRangeLimit", pad)
        keep = (values < min(pad, limit)) | (values > max(pad, limit))
    hu = values * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
    return numpy.rint(hu[keep])


def main():
    series = {}
    for data in images(sys.argv[1]):
        series.setdefault((str(data.SeriesInstanceUID), str(data.get("FrameOfReferenceUID"))), []).append(data)
    for (uid, _), group in sorted(series.items()):
        n = normal_of(group[0])
        position = lambda d: float(numpy.dot(numpy.array(d.ImagePositionPatient, float), n))
        group.sort(key=position)
        kept = []
        for data in group:
            if not kept or position(data) - position(kept[-1]) > 0.01:
                kept.append(data)
        s = numpy.array([position(d) for d in kept])
        gaps = numpy.diff(s)
        slice_mm = gaps.mean() if len(gaps) and numpy.abs(gaps - gaps.mean()).max() < 0.01 * gaps.mean() else float("nan")
        first, last = (numpy.array(kept[i].ImagePositionPatient, float) for i in (0, -1))
        along = last - first
        tilt = numpy.degrees(numpy.arctan2(numpy.linalg.norm(along - along.dot(n) * n), abs(along.dot(n)))) if len(kept) > 1 else 0
        try:
            hu = numpy.concatenate([hu_of(d) for d in kept])
            statistics = (hu.mean(), hu.min(), hu.max())
        except Exception:  # no decoder in pydicom
            statistics = (float("nan"),) * 3
        spacing = kept[0].PixelSpacing
        print(uid, kept[0].Columns, kept[0].Rows, len(kept), float(spacing[1]), float(spacing[0]), slice_mm, *first, tilt, *statistics)


if __name__ == "__main__":
    main()
