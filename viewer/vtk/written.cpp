#include "viewer/vtk/written.h"

#include <vtkNew.h>
#include <vtkPNGWriter.h>
#include <vtkWindowToImageFilter.h>

namespace retromass::viewer {

Status written(vtkRenderWindow* window, const std::filesystem::path& png)
{
    vtkNew<vtkWindowToImageFilter> picture;
    picture->SetInput(window);
    picture->SetInputBufferTypeToRGB();
    picture->ReadFrontBufferOff();
    vtkNew<vtkPNGWriter> writer;
    writer->SetFileName(png.c_str());
    writer->SetInputConnection(picture->GetOutputPort());
    writer->Write();
    if (writer->GetErrorCode() != 0) return Error{Code::io, "could not write the picture " + png.string(), "viewer"};
    return Done{};
}

}  // namespace retromass::viewer
