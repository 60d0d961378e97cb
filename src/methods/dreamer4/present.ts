/** Shows a program's pixel output on a canvas without reading it back. */
import link from '../../../shaders/methods/dreamer4/present.wgsl?link';
import type { Gpu } from '../../gpu/device.ts';
import { pack } from '../../tensor/kernel.ts';
import type { Program } from '../../tensor/program.ts';

export class Presenter {
  private readonly gpu: Gpu;
  private readonly uniforms: GPUBuffer;
  private readonly pipelines = new Map<GPUTextureFormat, GPURenderPipeline>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.uniforms = gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  /** `output` names u32 pixels [n, height, width]; the first image is drawn. */
  draw(
    canvas: Pick<GPUCanvasContext, 'getCurrentTexture'>,
    program: Pick<Program, 'locate'>,
    output: string,
    width: number,
    height: number,
  ): void {
    const { device } = this.gpu;
    const texture = canvas.getCurrentTexture();
    let pipeline = this.pipelines.get(texture.format);
    if (!pipeline) {
      const module = device.createShaderModule({ code: link() });
      pipeline = device.createRenderPipeline({
        layout: 'auto',
        vertex: { module, entryPoint: 'corners' },
        fragment: { module, entryPoint: 'colour', targets: [{ format: texture.format }] },
      });
      this.pipelines.set(texture.format, pipeline);
    }
    device.queue.writeBuffer(this.uniforms, 0, pack(width, height, { f: texture.width }, { f: texture.height }));
    const { buffer, offset } = program.locate(output);
    const bind = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer, offset, size: width * height * 4 } },
        { binding: 1, resource: { buffer: this.uniforms } },
      ],
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bind);
    pass.draw(3);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.uniforms.destroy();
  }
}
