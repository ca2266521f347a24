"""The checks catch what they are for: each test plants one violation in a small tree."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_includes  # noqa: E402
import check_text  # noqa: E402

GOOD = {
    "core/grid.h": "#include <vector>\n",
    "segmentation/segment.h": '#include "core/grid.h"\n// itk::Image and vtkActor are only mentioned\n',
    "segmentation/itk/blur.h": '#include "core/grid.h"\n',
    "segmentation/itk/blur.cpp": '#include "segmentation/itk/blur.h"\n#include <itkImage.h>\n',
    "segmentation/segment.cpp": '#include "segmentation/segment.h"\n#include "segmentation/itk/blur.h"\n',
    "measurement/measure.h": '#include "core/grid.h"\n',
    "pipeline/run/run.h": '#include "measurement/measure.h"\n',
    "viewer/view.h": '#include "segmentation/segment.h"\n',
    "viewer/vtk/window.cpp": '#include "viewer/view.h"\n#include <vtkActor.h>\n',
    "pipeline/cli/main.cpp": '#include "pipeline/run/run.h"\n#include "viewer/view.h"\n#include <CLI/CLI.hpp>\n',
}


class Tree:
    def __init__(self, changes):
        self.changes = {**GOOD, **changes}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        for name, text in self.changes.items():
            path = Path(self.folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(self.folder.name)

    def __exit__(self, *_):
        self.folder.cleanup()


class CheckIncludes(unittest.TestCase):
    def assert_one(self, changes, *words):
        with Tree(changes) as root:
            found = check_includes.check(root)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_tree_that_keeps_the_rules_is_clean(self):
        with Tree({}) as root:
            self.assertEqual(check_includes.check(root), [])

    def test_an_arrow_that_points_back_is_found(self):
        self.assert_one({"core/units.h": '#include "measurement/measure.h"\n'}, "core must not know measurement")

    def test_measurement_must_not_know_segmentation(self):
        self.assert_one({"measurement/a.cpp": '#include "segmentation/segment.h"\n'}, "must not know segmentation")

    def test_the_viewer_must_not_know_the_pipeline(self):
        self.assert_one({"viewer/vtk/a.cpp": '#include "pipeline/run/run.h"\n'}, "viewer must not know pipeline/run")

    def test_the_sample_data_must_not_know_the_measurement(self):
        self.assert_one({"sample_data/a.cpp": '#include "measurement/measure.h"\n'}, "must not know measurement")

    def test_a_back_entrance_is_found(self):
        self.assert_one({"measurement/hull.h": "#include <vector>\n",
                         "pipeline/run/a.cpp": '#include "measurement/hull.h"\n'}, "the door of measurement is measure.h")

    def test_a_toolkit_outside_its_folder_is_found(self):
        self.assert_one({"segmentation/a.cpp": "#include <itkImage.h>\n"}, "itk lives in a folder itk/")
        self.assert_one({"pipeline/ingest/a.cpp": "#include <dcmtk/dcmdata/dctk.h>\n"}, "dcmtk lives in a folder")
        self.assert_one({"viewer/a.cpp": "#include <vtkActor.h>\n"}, "vtk lives in a folder vtk/")
        self.assert_one({"pipeline/outputs/a.cpp": "#include <cairo.h>\n"}, "cairo lives in a folder cairo/")

    def test_a_toolkit_smuggled_in_through_a_header_is_found(self):
        self.assert_one({"segmentation/itk/raw.h": "#include <itkImage.h>\n",
                         "segmentation/a.cpp": '#include "segmentation/itk/raw.h"\n'}, "brings in itk")

    def test_a_header_that_names_a_toolkit_type_is_found(self):
        self.assert_one({"viewer/b.h": "class vtkActor;\n"}, "names vtkActor")
        self.assert_one({"pipeline/ingest/b.h": "class DcmDataset;\n"}, "names DcmDataset")

    def test_libraries_in_core_are_found(self):
        self.assert_one({"core/a.cpp": "#include <nlohmann/json.hpp>\n"}, "standard library only")
        self.assert_one({"measurement/a.cpp": "#include <unistd.h>\n"}, "standard library only")

    def test_a_library_in_a_door_is_found(self):
        self.assert_one({"pipeline/run/run.h": "#include <yaml-cpp/yaml.h>\n"}, "libraries stay out of doors")
        with Tree({"pipeline/run/own.h": "#include <yaml-cpp/yaml.h>\n"}) as root:
            self.assertEqual(check_includes.check(root), [])

    def test_an_include_beside_the_root_is_found(self):
        self.assert_one({"core/a.cpp": '#include "grid.h"\n'}, "written from the root")

    def test_an_unknown_header_is_found(self):
        self.assert_one({"core/a.cpp": "#include <boost/any.hpp>\n"}, "no library the tables name")


class CheckText(unittest.TestCase):
    def found(self, changes):
        with Tree(changes) as root:
            return check_text.check(root)

    def test_a_clean_tree_is_clean(self):
        self.assertEqual(self.found({}), ([], []))

    def test_a_letter_beyond_ascii_is_found_by_line(self):
        found, _ = self.found({"core/a.cpp": "int a;\n// 5 \u00b5m\n"})
        self.assertEqual(found, ["core/a.cpp:2: not ASCII"])

    def test_unfinished_work_is_found_but_not_with_its_issue(self):
        mark = "TO" + "DO"
        found, _ = self.found({"core/a.cpp": f"// {mark} later\n// {mark}(#12) when 12 is done\n"})
        self.assertEqual(len(found), 1)
        self.assertIn("core/a.cpp:1", found[0])

    def test_a_room_without_a_page_is_found(self):
        found, _ = self.found({"viewer/CMakeLists.txt": "\n"})
        self.assertEqual(found, ["docs/stages/viewer.md: missing; viewer has no page"])

    def test_binary_data_is_found_but_not_a_picture_in_docs(self):
        found, _ = self.found({"sample_data/ct.dcm": b"DICM\0", "docs/images/demo.png": b"PNG\0"})
        self.assertEqual(len(found), 1)
        self.assertIn("sample_data/ct.dcm", found[0])

    def test_a_page_that_is_not_there_is_reported(self):
        found, remarks = self.found({"docs/clinical.md": "", "core/a.cpp": "// docs/clinical.md 2.1, old/rules.md 3\n"})
        self.assertEqual(found, [])
        self.assertEqual(remarks, ["core/a.cpp: names old/rules.md, which is not there"])

    def test_a_long_file_is_reported_and_not_refused(self):
        found, remarks = self.found({"core/a.cpp": "int a;\n" * 601, "core/b.cpp": "int a;\n" * 600})
        self.assertEqual(found, [])
        self.assertEqual(len(remarks), 1)
        self.assertIn("core/a.cpp: 601 lines", remarks[0])


if __name__ == "__main__":
    unittest.main()
