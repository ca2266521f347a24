// peer_itk FOLDER: a series read the way ITK's own examples read it. Run by bench_load.
#include <itkGDCMImageIO.h>
#include <itkGDCMSeriesFileNames.h>
#include <itkImageSeriesReader.h>

#include <iostream>

int main(int count, char** arguments)
{
    if (count != 2) return 2;
    auto names = itk::GDCMSeriesFileNames::New();
    names->SetDirectory(arguments[1]);
    auto reader = itk::ImageSeriesReader<itk::Image<short, 3>>::New();
    reader->SetImageIO(itk::GDCMImageIO::New());
    reader->SetFileNames(names->GetInputFileNames());
    try {
        reader->Update();
    } catch (const itk::ExceptionObject& error) {
        std::cerr << error.GetDescription() << '\n';
        return 1;
    }
    return reader->GetOutput()->GetLargestPossibleRegion().GetNumberOfPixels() > 0 ? 0 : 1;
}
